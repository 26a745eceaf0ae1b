/** What users install: the package, its manual and completions, the images, the executables, and the papers of all. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { unable } from "../support/privileges.ts"
import { installed, must, root, run, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"
import { type Release, released, unpacked } from "../support/release.ts"

const scratch = temporary("install")
let release: Release = { dir: "", version: "", remove: () => {} }
const file = (name: string): string => join(release.dir, name)
const regctl = (...args: ReadonlyArray<string>) => must(process.execPath, [tool("regctl"), ...args])
const image = (name: string): string => `ocifile://${file(`${name}-${release.version}-image.tar`)}:${release.version}`

beforeAll(async () => {
  release = await released()
  await must("tar", ["-xzf", file(`regclient-${release.version}.tgz`), "-C", scratch.path])
}, 400_000)
afterAll(() => {
  release.remove()
  scratch.remove()
})

const hasExecutables = (): boolean => existsSync(file(`regctl-${release.version}-linux-x64.tar.gz`))

interface Component {
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly "bom-ref": string
  readonly components?: ReadonlyArray<Component>
}
const componentsOf = (kind: string): ReadonlyArray<Component> =>
  JSON.parse(readFileSync(file(`regclient-${release.version}-${kind}.cdx.json`), "utf8")).components

describe("a release", () => {
  it("has a checksum for every file, which sha256sum agrees with", async () => {
    const sums = readFileSync(file("SHA256SUMS"), "utf8").trim().split("\n").map((line) => line.split("  ")[1])
    assert.deepStrictEqual([...sums, "SHA256SUMS"].toSorted(), readdirSync(release.dir).toSorted())
    await must("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: release.dir })
  })

  it("says whose code is in it", () => {
    const bundled = [
      "@effect/platform-node",
      "@effect/platform-node-shared",
      "bcryptjs",
      "effect",
      "fengari",
      "re2js",
      "readline-sync",
      "sprintf-js",
      "tmp",
      "ws",
      "xz-decompress",
      "yaml"
    ]
    assert.deepStrictEqual(componentsOf("npm").map(({ name }) => name), bundled)
    assert.include(componentsOf("npm").map(({ purl }) => purl), "pkg:npm/%40effect/platform-node@4.1.0")
    const parts = componentsOf("images")
    const debian = ["base-files", "ca-certificates", "libatomic1", "libc6", "libgcc-s1", "libstdc++6"]
    assert.includeMembers(parts.map(({ name }) => name), [...bundled, "node", ...debian])
    assert.deepStrictEqual(parts.filter(({ name }) => name === "node").map(({ purl }) => purl), [
      "pkg:generic/node@26.10.0?arch=amd64",
      "pkg:generic/node@26.10.0?arch=arm64"
    ])
    assert.strictEqual(
      parts.filter(({ purl }) => /^pkg:deb\/debian\/libc6@.*[?]arch=a.*64&distro=/.test(purl)).length,
      2
    )
    const refs = parts.flatMap((it) => [it, ...(it.components ?? [])]).map((it) => it["bom-ref"])
    assert.strictEqual(new Set(refs).size, refs.length)
    assert.includeMembers(parts.flatMap(({ components = [] }) => components).map(({ name }) => name), ["v8", "openssl"])
  })
})

describe("the package", () => {
  const inPackage = (path: string): string => join(scratch.path, "package", path)

  it("holds what its users need, and nothing of its making", () => {
    assert.deepStrictEqual(readdirSync(inPackage("")).toSorted(), [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "THIRD-PARTY.txt",
      "completions",
      "dist",
      "docs",
      "man",
      "package.json"
    ])
    const names = readdirSync(inPackage("dist"), { recursive: true, encoding: "utf8" })
    assert.deepStrictEqual(names.filter((it) => !/^(?:\w+\.js|chunks(?:\/[\w-]+\.js)?)$/.test(it)), [])
    const text = names.filter((it) => it.endsWith(".js")).map((it) => readFileSync(inPackage(`dist/${it}`), "utf8"))
      .join("")
    assert.notInclude(text, root)
    assert.notInclude(text, "sourceMappingURL")
  })

  it("is installed in one step that asks no registry, with its tools and their manual", async () => {
    const prefix = join(scratch.path, "prefix")
    const archive = file(`regclient-${release.version}.tgz`)
    await must("npm", ["install", "-g", "--offline", "--no-audit", "--no-fund", "--prefix", prefix, archive])
    const env = { PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter) }
    for (const name of ["regctl", "regsync", "regbot"]) {
      const out = await must(join(prefix, "bin", name), ["version", "--format", "{{.VCSTag}}"], { env })
      assert.strictEqual(out.trim(), `v${release.version}`)
      assert.isTrue(existsSync(join(prefix, "share/man/man1", `${name}.1`)))
    }
    assert.deepStrictEqual(readdirSync(join(prefix, "lib/node_modules")), ["regclient"])
    assert.isFalse(existsSync(join(prefix, "lib/node_modules/regclient/node_modules")))
  })

  it("names each of its manual pages, in which mandoc finds nothing to warn of", async () => {
    const pages = readdirSync(inPackage("man")).toSorted()
    const { man }: { readonly man: ReadonlyArray<string> } = JSON.parse(readFileSync(inPackage("package.json"), "utf8"))
    assert.deepStrictEqual(man.map((it) => it.replace("man/", "")).toSorted(), pages)
    assert.includeMembers(pages, ["regctl.1", "regctl-image-copy.1", "regsync-once.1", "regbot-server.1"])
    const said = await run(installed("mandoc", "mandoc"), [
      "-Tlint",
      "-Wwarning",
      ...pages.map((it) => inPackage(`man/${it}`))
    ])
    assert.deepStrictEqual(said, { code: 0, out: "", err: "" })
    const shown = await must("mandoc", ["-Tutf8", inPackage("man/regctl-image-mod.1")])
    const plain = shown.replaceAll(/.\x08/g, "")
    assert.include(plain, "regctl image mod <image_ref> [flags]")
    assert.include(plain, "  base-layers=<count>   leave so many leading layers alone")
    assert.include(plain, `regctl image mod registry.example.org/app:v1 --create v1-sh --config-entrypoint '["sh"]'`)
  })

  it("brings a completion for each tool and shell", async () => {
    const names = ["regbot", "regctl", "regsync"]
    assert.deepStrictEqual(
      readdirSync(inPackage("completions")).toSorted(),
      names.flatMap((it) => [`_${it}`, `${it}.bash`, `${it}.fish`, `${it}.ps1`]).toSorted()
    )
    const sourced = names.map((it) => `source ${inPackage(`completions/${it}.bash`)}; complete -p ${it} >/dev/null`)
    await must("bash", ["-ec", sourced.join("\n")])
    for (const it of names) assert.include(readFileSync(inPackage(`completions/_${it}`), "utf8"), `#compdef ${it}`)
  })
})

interface Shown {
  readonly config: {
    readonly User: string
    readonly Entrypoint: ReadonlyArray<string>
    readonly Labels: Readonly<Record<string, string>>
  }
}
interface Platformed {
  readonly layers: ReadonlyArray<{ readonly digest: string }>
}

describe("an image", () => {
  it("is there for two platforms, of which only the base differs", async () => {
    for (const name of ["regctl", "regsync", "regbot"]) {
      const [amd64, arm64] = await Promise.all(["linux/amd64", "linux/arm64"].map(async (platform) => {
        const { layers }: Platformed = JSON.parse(
          await regctl("manifest", "get", "--format", "{{json .}}", "--platform", platform, image(name))
        )
        return layers.map(({ digest }) => digest)
      }))
      assert.deepStrictEqual([amd64?.length, arm64?.length], [3, 3])
      assert.strictEqual(amd64?.[2], arm64?.[2])
      assert.notStrictEqual(amd64?.[1], arm64?.[1])
      const { config }: Shown = JSON.parse(
        await regctl("image", "config", "--platform", "linux/arm64", "--format", "{{json .}}", image(name))
      )
      assert.deepStrictEqual([config.User, config.Entrypoint], ["1000:1000", [`/usr/bin/${name}`]])
      assert.strictEqual(config.Labels["org.opencontainers.image.version"], release.version)
    }
  })

  it("is read by skopeo, for either platform", async () => {
    const archive = `oci-archive:${file(`regsync-${release.version}-image.tar`)}`
    for (const architecture of ["amd64", "arm64"]) {
      const out = await must(installed("skopeo", "skopeo"), ["inspect", "--override-arch", architecture, archive])
      assert.strictEqual(JSON.parse(out).Architecture, architecture)
    }
  })

  it("has the same digests when it is built again", async () => {
    const again = join(scratch.path, "again")
    await must(process.execPath, [join(root, "scripts/images.ts"), again])
    const digests = (references: ReadonlyArray<string>) =>
      Promise.all(references.map((it) => regctl("image", "digest", it)))
    const names = ["regctl", "regsync", "regbot"]
    assert.deepStrictEqual(
      await digests(names.map((it) => `ocidir://${again}:${it}`)),
      await digests(names.map((it) => image(it)))
    )
    const attached = await regctl("artifact", "get", "--subject", `ocidir://${again}:regbot`)
    assert.strictEqual(attached, readFileSync(file(`regclient-${release.version}-images.cdx.json`), "utf8"))
  })

  it("runs the quick start as its own user, on its own file system", async (context) => {
    if (process.getuid?.() !== 0) return unable(context, "chroot is for root")
    const rootfs = await unpacked(tool("regctl"), image("regctl"), scratch.path)
    const inside = (program: string, ...args: ReadonlyArray<string>) =>
      run(installed("env", "coreutils"), [
        "-i",
        "PATH=/usr/bin",
        "HOME=/home/appuser",
        installed("chroot", "coreutils"),
        "--userspec=1000:1000",
        rootfs,
        program,
        ...args
      ])
    const version = await inside("/usr/bin/regctl", "version", "--format", "{{.VCSTag}} {{.Platform}}")
    assert.deepStrictEqual(version, { code: 0, out: `v${release.version} linux/amd64`, err: "" })
    mkdirSync(join(rootfs, "tmp/examples"))
    copyFileSync(join(root, "examples/quickstart.ts"), join(rootfs, "tmp/examples/quickstart.ts"))
    symlinkSync("/usr/lib/regclient", join(rootfs, "tmp/dist"))
    const { code, err, out } = await inside("/usr/bin/node", "/tmp/examples/quickstart.ts")
    assert.deepStrictEqual([code, err], [0, ""])
    assert.include(out, "One digest in three places.")
    const summer = "console.log(new Date(1e12).toLocaleTimeString('de', { timeZone: 'Europe/Berlin' }))"
    assert.strictEqual((await inside("/usr/bin/node", "-e", summer)).out, "03:46:40\n")
    if (!hasExecutables()) return
    const base = `regctl-${release.version}-linux-x64`
    await must("tar", ["-xzf", file(`${base}.tar.gz`), "-C", rootfs])
    rmSync(join(rootfs, "usr/bin/node"))
    assert.strictEqual(
      (await inside(`/${base}/regctl`, "version", "--format", "{{.VCSTag}}")).out,
      `v${release.version}`
    )
  })
})

describe("an executable", () => {
  it("comes with its manual, its completions and the licences", async (context) => {
    if (!hasExecutables()) return unable(context, "no executables were built: npm run release")
    const base = `regsync-${release.version}-linux-x64`
    const listed = (await must("tar", ["-tzf", file(`${base}.tar.gz`)])).split("\n")
    assert.includeMembers(
      listed,
      ["regsync", "LICENSE", "THIRD-PARTY.txt", "man/regsync.1", "completions/regsync.bash", "completions/_regsync"]
        .map((it) => `${base}/${it}`)
    )
    assert.deepStrictEqual(listed.filter((it) => it.includes("regctl")), [])
  })
})
