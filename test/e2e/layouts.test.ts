/** Layouts under everything that goes wrong on one machine: other processes, sudden deaths, bad disks, bad content. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { fullDisk } from "../support/disks.ts"
import { addBlob, addImage, blobPath, judge, makeLayout, type Named, ociIndex, tagAll } from "../support/layouts.ts"
import { unable } from "../support/privileges.ts"
import { must, type Ran, run, tool } from "../support/programs.ts"
import { ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("layouts")
const at = (name: string): string => join(dir.path, name)
const env = { REGCTL_CONFIG: at("config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const source = at("source")
const big = 3_000_000
let images: Record<string, Named>
let registry: Running

const tryRegctl = (...args: ReadonlyArray<string>): Promise<Ran> =>
  run(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path })
const regctl = (...args: ReadonlyArray<string>): Promise<string> =>
  must(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path })
const copy = (tag: string, target: string) => tryRegctl("image", "copy", `ocidir://source:${tag}`, `ocidir://${target}`)

/** Runs a command line of a shell in which `$REGCTL` is the tool. */
const shell = (line: string, more: Readonly<Record<string, string | undefined>> = {}): Promise<Ran> =>
  run("sh", ["-c", line], {
    env: { ...env, ...more, REGCTL: `${process.execPath} ${tool("regctl")}` },
    cwd: dir.path
  })

const isRoot = process.getuid?.() === 0
const nobody = 65534

/** Status 1, and what was said last. */
const failure = ({ code, err, out }: Ran): string => {
  assert.strictEqual(code, 1, out + err)
  assert.notInclude(err, "    at ")
  return err.trimEnd().split("\n").at(-1) ?? ""
}

const whole = (layout: string, tags?: ReadonlyArray<string>) => {
  const { extra, problems, tags: found } = judge(at(layout))
  assert.deepStrictEqual(problems, [])
  if (tags !== undefined) {
    assert.deepStrictEqual(Object.keys(found).sort(), [...tags].sort())
    assert.deepStrictEqual(extra, [])
  }
}

beforeAll(async () => {
  makeLayout(source)
  images = Object.fromEntries(
    Array.from({ length: 16 }, (_, n) => [`t${n}`, addImage(source, [Buffer.alloc(20_000, `layer ${n} `), "shared"])])
  )
  const layers = [1, 2, 3, 4].map((it) => Buffer.alloc(big, `big ${it} `))
  images["big"] = addImage(source, layers)
  images["many"] = addImage(source, Array.from({ length: 500 }, (_, n) => `layer ${n}`))
  tagAll(source, images)
  registry = await ownRegistry()
})
afterAll(async () => {
  await registry?.stop()
  dir.remove()
})

describe("processes that write one layout", () => {
  it("L09: 16 at once leave every tag complete, and nothing else", async () => {
    const tags = Array.from({ length: 16 }, (_, n) => `t${n}`)
    const ran = await Promise.all(tags.map((tag) => copy(tag, `shared:${tag}`)))
    // On a busy machine one may wait for more than 5 s, and says so.
    const said = ran.map((
      { code, err }
    ) => [code, err.replace(/^.*level=WARN msg="waiting for [^"]*shared, locked by .*\n/, "")])
    assert.deepStrictEqual(said, tags.map(() => [0, ""]))
    whole("shared", tags)
  })

  it("L11, D5: one that deletes takes nothing from one that copies", async () => {
    await regctl("image", "copy", "ocidir://source:t0", "ocidir://raced:kept")
    const copies = async () => {
      for (let n = 0; n < 12; n++) await regctl("image", "copy", `ocidir://source:t${n}`, `ocidir://raced:c${n}`)
    }
    const deletions = async () => {
      for (let n = 0; n < 12; n++) {
        // The same content under another tag: its deletion is what a sweep would take too much for.
        await regctl("image", "copy", `ocidir://source:t${n}`, "ocidir://raced:gone")
        whole("raced")
        await regctl("tag", "delete", "ocidir://raced:gone")
      }
    }
    await Promise.all([copies(), deletions()])
    await regctl("image", "copy", "ocidir://source:t15", "ocidir://raced:last")
    whole("raced", ["kept", "last", ...Array.from({ length: 12 }, (_, n) => `c${n}`)])
  })
})

describe("a process that is killed", () => {
  /** Kills after so many milliseconds; whether it came to its end before. */
  const killed = (args: ReadonlyArray<string>, after: number) =>
    new Promise<boolean>((resolve) => {
      const child = spawn(process.execPath, [tool("regctl"), ...args], {
        cwd: dir.path,
        env: { ...process.env, ...env },
        stdio: "ignore"
      })
      const timer = setTimeout(() => child.kill("SIGKILL"), after)
      child.on("exit", (code) => {
        clearTimeout(timer)
        resolve(code === 0)
      })
    })
  const time = async (args: ReadonlyArray<string>) => {
    const start = performance.now()
    await regctl(...args)
    return performance.now() - start
  }

  it("L12, D1-D4, D7: never leaves a broken tag or blob in a layout, and the next copy tidies up", async () => {
    const args = (target: string) => ["image", "copy", "ocidir://source:big", `ocidir://${target}`]
    const usual = await time(args("measured:big"))
    const rounds = 30
    let deaths = 0
    for (let round = 0; round < rounds; round++) {
      // From an empty directory every third time, else over what the last death left.
      if (round % 3 === 0) rmSync(at("killed"), { recursive: true, force: true })
      const isDone = await killed(args("killed:big"), usual * (0.2 + 0.8 * round / rounds))
      if (!isDone) deaths++
      whole("killed")
    }
    assert.isAbove(deaths, 0)
    await regctl(...args("killed:big"))
    // What a death left behind is gone after the next write.
    await regctl("image", "copy", "ocidir://source:t1", "ocidir://killed:t1")
    whole("killed", ["big", "t1"])
  })

  it("D1, D2, D7: never leaves a broken tag in a registry", async () => {
    const target = `${registry.host}/killed:big`
    const host = ["--host", `reg=${registry.host},tls=disabled`]
    const args = [...host, "image", "copy", "ocidir://source:big", target]
    const usual = await time([...args.slice(0, -1), `${registry.host}/measured:big`])
    for (let round = 0; round < 6; round++) {
      await killed([...args.slice(0, -1), `${registry.host}/killed${round}:big`], usual * (0.4 + 0.1 * round))
      const listed = await tryRegctl(...host, "manifest", "get", `${registry.host}/killed${round}:big`)
      if (listed.code !== 0) continue
      await regctl(...host, "image", "copy", `${registry.host}/killed${round}:big`, `ocidir://check:r${round}`)
    }
    await regctl(...args)
    await regctl(...host, "image", "copy", target, "ocidir://check:end")
    whole("check")
  })
})

describe("a disk or directory that does not do what it should", () => {
  it("L01: a full disk is named with its path, leaves no part, and is used again once there is room", async () => {
    const mount = at("small")
    mkdirSync(mount)
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", mount], { stdio: "ignore" })
    } catch {
      // Without the right to mount the tool is told that there is no more room.
      const line = "exec $REGCTL image copy ocidir://source:big ocidir://small/layout:big"
      const said = failure(await shell(line, fullDisk({ dir: mount, from: 12 })))
      assert.match(said, /small\/layout\/\S+: no space left on device/)
      whole("small/layout", [])
      await regctl("image", "copy", "ocidir://source:big", "ocidir://small/layout:big")
      return whole("small/layout", ["big"])
    }
    try {
      writeFileSync(join(mount, "ballast"), Buffer.alloc(1_000_000))
      const said = failure(await copy("big", "small/layout:big"))
      assert.match(said, /small\/layout\/blobs\/sha256\/\S+: no space left on device/)
      whole("small/layout", [])
      rmSync(join(mount, "ballast"))
      failure(await copy("big", "small/layout:big"))
      await regctl("image", "copy", "ocidir://source:t1", "ocidir://small/layout:t1")
      whole("small/layout", ["t1"])
      execFileSync("mount", ["-o", "remount,size=32m", mount])
      await regctl("image", "copy", "ocidir://source:big", "ocidir://small/layout:big")
      whole("small/layout", ["big", "t1"])
      execFileSync("mount", ["-o", "remount,ro", mount])
      assert.match(failure(await copy("t2", "small/layout:t2")), /small\/layout\/\S+: read-only file system/)
      whole("small/layout", ["big", "t1"])
    } finally {
      execFileSync("umount", [mount])
    }
  })

  it("L03: a limit of file sizes fails with the path", async () => {
    const said = failure(
      await shell("ulimit -f 2000; trap '' XFSZ; exec $REGCTL image copy ocidir://source:big ocidir://limited:big")
    )
    assert.match(said, /limited\/blobs\/sha256\/\S+: file too large/)
    whole("limited", [])
  })

  it("L02: a file in the place of the directory is named", async () => {
    writeFileSync(at("file"), "not a directory")
    assert.match(failure(await copy("t1", "file:t1")), /file.*(?:not a directory|file exists)/)
    assert.match(failure(await tryRegctl("tag", "ls", "ocidir://file")), /file\/\S+: not a directory/)
    assert.strictEqual(readFileSync(at("file"), "utf8"), "not a directory")
  })

  it("L02: what another user may not touch is named, and stays as it is", async (context) => {
    if (!isRoot) return unable(context, "root")
    await regctl("image", "copy", "ocidir://source:t1", "ocidir://owned:t1")
    const as = (args: string) =>
      shell(
        `exec setpriv --reuid ${nobody} --regid ${nobody} --clear-groups $REGCTL ${args}`,
        { HOME: "/nonexistent", REGCTL_CONFIG: "/nonexistent/config.json", DOCKER_CONFIG: "/nonexistent" }
      )
    chmodSync(dir.path, 0o755)
    // The tool itself may live where nobody may read.
    if ((await as("version")).code !== 0) return unable(context, "a tool that others may read")
    assert.match(
      failure(await as("image copy ocidir://source:t2 ocidir://owned:t2")),
      /owned\/\S+: permission denied/
    )
    chmodSync(at("owned/index.json"), 0o600)
    assert.match(failure(await as("tag ls ocidir://owned")), /owned\/index\.json: permission denied/)
    whole("owned", ["t1"])
  })

  it("L08: nothing is written through links", async () => {
    const outside = at("outside")
    mkdirSync(outside)
    makeLayout(at("linked"))
    rmSync(at("linked/blobs"), { recursive: true })
    symlinkSync(outside, at("linked/blobs"))
    assert.match(failure(await copy("t1", "linked:t1")), /linked\/blobs.*symbolic link/)
    makeLayout(at("linked2"))
    const layer = JSON.parse(readFileSync(blobPath(source, images["t1"]?.digest ?? ""), "utf8")).layers[0].digest
    writeFileSync(join(outside, "victim"), "mine")
    symlinkSync(join(outside, "victim"), blobPath(at("linked2"), layer))
    await regctl("image", "copy", "ocidir://source:t1", "ocidir://linked2:t1")
    whole("linked2", ["t1"])
    assert.deepStrictEqual(readdirSync(outside), ["victim"])
    assert.strictEqual(readFileSync(join(outside, "victim"), "utf8"), "mine")
  })

  it("L16: 256 descriptors are enough for an image of 500 layers", async () => {
    const { code, err } = await shell("ulimit -n 256; exec $REGCTL image copy ocidir://source:many ocidir://few:many")
    assert.strictEqual(code, 0, err)
    whole("few", ["many"])
    const host = registry.host
    const pushed = await shell(
      `ulimit -n 256; exec $REGCTL --host reg=${host},tls=disabled image copy ocidir://source:many ${host}/few:many`
    )
    assert.strictEqual(pushed.code, 0, pushed.err)
  })

  it("L15: without HOME flags suffice, and a current directory that is gone is told", async () => {
    const bare = { HOME: undefined, REGCTL_CONFIG: undefined, DOCKER_CONFIG: undefined, XDG_CACHE_HOME: undefined }
    const homeless = await shell(`exec $REGCTL image digest ocidir://${source}:t1`, bare)
    assert.deepStrictEqual(homeless, { code: 0, out: `${images["t1"]?.digest}\n`, err: "" })
    mkdirSync(at("gone"))
    const absolute = await shell(`cd gone && rmdir ../gone && exec $REGCTL image digest ocidir://${source}:t1`)
    assert.deepStrictEqual(absolute, { code: 0, out: `${images["t1"]?.digest}\n`, err: "" })
    mkdirSync(at("gone"))
    const relative = failure(await shell("cd gone && rmdir ../gone && exec $REGCTL image digest ocidir://source:t1"))
    assert.notInclude(relative, "internal error")
    assert.strictEqual(relative, "open source: the current directory does not exist any more")
  })
})

describe("layout files that are not right", () => {
  const cases: ReadonlyArray<readonly [string, string, string | undefined, RegExp]> = [
    ["an empty index.json", "index.json", "", /index\.json cannot be parsed/],
    ["a cut index.json", "index.json", `{"schemaVersion":2,"manif`, /index\.json cannot be parsed/],
    ["an index.json that is a list", "index.json", "[]", /index\.json cannot be parsed/],
    ["an empty oci-layout", "oci-layout", "", /oci-layout cannot be parsed/],
    ["another version", "oci-layout", `{"imageLayoutVersion":"2.0.0"}`, /unsupported oci layout version.*2\.0\.0/],
    ["a directory for index.json", "index.json", undefined, /index\.json.*is a directory/],
    ["a directory for oci-layout", "oci-layout", undefined, /oci-layout.*is a directory/]
  ]
  it.each(cases)(
    "L06, D4: %s fails for readers and writers, and is not changed",
    async (name, file, text, expected) => {
      const layout = `bad ${name}`.replaceAll(" ", "-")
      cpSync(at("good"), at(layout), { recursive: true })
      const path = join(at(layout), file)
      rmSync(path)
      if (text === undefined) mkdirSync(path)
      else writeFileSync(path, text)
      const before = readdirSync(at(layout), { recursive: true })
      const ran = await Promise.all([
        tryRegctl("--logopt", "json", "tag", "ls", `ocidir://${layout}`),
        tryRegctl("--logopt", "json", "image", "copy", "ocidir://source:t2", `ocidir://${layout}:t2`),
        tryRegctl("--logopt", "json", "tag", "delete", `ocidir://${layout}:t1`)
      ])
      for (const it of ran) {
        assert.match(failure(it), expected)
        const record = JSON.parse(it.err.split("\n")[0] ?? "")
        assert.deepStrictEqual([record.level, record.reason], ["ERROR", "LayoutInvalid"])
        assert.strictEqual(record.msg, failure(it))
      }
      if (text !== undefined) assert.strictEqual(readFileSync(path, "utf8"), text)
      assert.deepStrictEqual(readdirSync(at(layout), { recursive: true }), before)
    }
  )
  beforeAll(() => regctl("image", "copy", "ocidir://source:t1", "ocidir://good:t1"))
})

describe("content that is not right", () => {
  /** A copy of the source's image under its tag, with one blob of it changed. */
  const damaged = (layout: string, change: (path: string) => void): Named => {
    makeLayout(at(layout))
    const image = addImage(at(layout), [Buffer.alloc(50_000, "damaged"), "other"])
    tagAll(at(layout), { v1: image })
    const { layers } = JSON.parse(readFileSync(blobPath(at(layout), image.digest), "utf8"))
    change(blobPath(at(layout), layers[0].digest))
    return layers[0]
  }
  const changed = (path: string) => writeFileSync(path, Buffer.alloc(50_000, "different"))
  const cases: ReadonlyArray<readonly [string, string, (path: string) => void, string, RegExp]> = [
    ["L07, C01", "changed", changed, "DigestMismatch", /digest mismatch/],
    ["L07", "cut", (path) => truncateSync(path, 100), "SizeMismatch", /short read/],
    ["C02", "longer", (path) => writeFileSync(path, "more", { flag: "a" }), "SizeMismatch", /size limit exceeded/],
    ["C13", "absent", (path) => rmSync(path), "NotFound", /not found/]
  ]
  it.each(cases)(
    "%s: a layer that is %s fails the copy, names it, and no tag appears",
    async (_, how, change, tag, text) => {
      const layer = damaged(`damaged-${how}`, change)
      for (const target of [`ocidir://from-${how}:v1`, `${registry.host}/from-${how}:v1`]) {
        const ran = await tryRegctl(
          "--logopt",
          "json",
          "--host",
          `reg=${registry.host},tls=disabled`,
          "image",
          "copy",
          `ocidir://damaged-${how}:v1`,
          target
        )
        const said = failure(ran)
        assert.match(said, text)
        assert.include(said, layer.digest.slice("sha256:".length))
        const records = ran.err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))
        assert.strictEqual(records.at(-1).reason, tag)
      }
      whole(`from-${how}`, [])
      const listed = await tryRegctl(
        "--host",
        `reg=${registry.host},tls=disabled`,
        "tag",
        "ls",
        `${registry.host}/from-${how}`
      )
      assert.strictEqual(listed.out, "")
    }
  )

  it("C13: every missing part is named", async () => {
    makeLayout(at("lacking"))
    const lost = [1, 2].map((n) => ({ ...addBlob(at("lacking"), `lost ${n}`) }))
    tagAll(at("lacking"), { v1: addImage(at("lacking"), [...lost, "there"]) })
    for (const { digest } of lost) rmSync(blobPath(at("lacking"), digest))
    const said = failure(await tryRegctl("image", "copy", "ocidir://lacking:v1", "ocidir://lacking-copy:v1"))
    for (const { digest } of lost) assert.include(said, digest)
    whole("lacking-copy", [])
  })

  it("L07, D3: a damaged blob that is already at the target is brought again", async () => {
    const image = images["t3"]?.digest ?? ""
    const { config, layers } = JSON.parse(readFileSync(blobPath(source, image), "utf8"))
    for (const [n, digest] of [layers[0].digest, config.digest, image].entries()) {
      for (const [how, change] of [["cut", (path: string) => truncateSync(path, 5)], ["changed", scramble]] as const) {
        const layout = `repaired-${n}-${how}`
        cpSync(at("whole-t3"), at(layout), { recursive: true })
        change(blobPath(at(layout), digest))
        // Under another tag, since a tag that is current is not looked into.
        await regctl("image", "copy", "--force-recursive", "ocidir://source:t3", `ocidir://${layout}:again`)
        whole(layout, ["again", "t3"])
      }
    }
  })
  const scramble = (path: string) => {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.map((it) => it ^ 1))
  }
  beforeAll(() => regctl("image", "copy", "ocidir://source:t3", "ocidir://whole-t3:t3"))

  it("C14: a layer listed many times is moved once", async () => {
    makeLayout(at("repeated"))
    const layer = addBlob(at("repeated"), "again and again")
    tagAll(at("repeated"), { v1: addImage(at("repeated"), Array.from({ length: 50 }, () => layer)) })
    await registry.requests()
    await regctl(
      "--host",
      `reg=${registry.host},tls=disabled`,
      "image",
      "copy",
      "ocidir://repeated:v1",
      `${registry.host}/repeated:v1`
    )
    const requests = await registry.requests()
    const uploads = requests.filter(({ method, path }) => method === "PUT" && path.includes("/blobs/uploads/"))
    assert.strictEqual(uploads.length, 2, JSON.stringify(requests))
    await regctl("image", "copy", "ocidir://repeated:v1", "ocidir://repeated-copy:v1")
    whole("repeated-copy", ["v1"])
  })

  it("C17: inline data that is wrong is told, and the content taken from its file", async () => {
    makeLayout(at("inline"))
    const data = Buffer.from("another content!").toString("base64")
    const layer = addBlob(at("inline"), "the real content")
    const child = addImage(at("inline"), [{ ...layer, data }])
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [{ ...child, data }] }
    tagAll(at("inline"), { v1: addBlob(at("inline"), JSON.stringify(index), ociIndex) })
    const { code, err } = await tryRegctl("image", "copy", "ocidir://inline:v1", "ocidir://inline-copy:v1")
    assert.strictEqual(code, 0, err)
    assert.match(err, new RegExp(`level=WARN.*not the content of ${child.digest}`))
    whole("inline-copy", ["v1"])
  })

  it("D8: a copy changes nothing at its source", async () => {
    const state = () =>
      readdirSync(source, { recursive: true, encoding: "utf8" }).sort().map((it) => {
        const { ctimeMs, ino, size } = statSync(join(source, it))
        return [it, ino, size, ctimeMs]
      })
    const before = state()
    await regctl("image", "copy", "--referrers", "--digest-tags", "ocidir://source:t5", "ocidir://reader:t5")
    assert.deepStrictEqual(state(), before)
  })

  it("C20: a blob that fails its digest gives no success", async () => {
    const layer = damaged("damaged-read", changed)
    const { code, err } = await tryRegctl("blob", "get", "ocidir://damaged-read", layer.digest)
    assert.strictEqual(code, 1)
    assert.match(err, /digest mismatch/)
  })
})

describe("references", () => {
  it.each([
    ["K14", "ocidir://x:Bad^Tag"],
    ["K14", `ocidir://x:${"t".repeat(129)}`],
    ["K14", "ocidir://x@sha256:123"],
    ["K14", "registry.example/Upper:v1"],
    ["K14", "registry.example/a/../b:v1"],
    ["K14", "registry.example/a\u001b[31m:v1"]
  ])("%s: %s is refused before anything is asked or made", async (_, reference) => {
    const ran = await tryRegctl("--logopt", "json", "image", "copy", "ocidir://source:t1", reference)
    const said = failure(ran)
    assert.match(said, /invalid (?:reference|checksum digest)/)
    assert.notInclude(said, "\u001b")
    assert.match(ran.err, /"reason":"(?:ReferenceInvalid|DigestInvalid)"/)
    assert.isFalse(existsSync(at("x")))
  })

  it("K15: a path with .. is what the user says it is", async () => {
    mkdirSync(at("sub"))
    await regctl("image", "copy", "ocidir://sub/../source:t1", "ocidir://sub/../dotted:t1")
    whole("dotted", ["t1"])
  })
})

const goTool = process.env["REGCTL_GO"]

/** Only where somebody has the Go tool and says where. */
const besideGoTool = (name: string, tests: (goTool: string) => void) =>
  goTool === undefined ? undefined : describe(name, () => tests(goTool))

besideGoTool("the Go tool", (goTool) => {
  const go = (...args: ReadonlyArray<string>) => must(goTool, args, { env, cwd: dir.path })

  it("and this one read, extend and sweep each other's layouts", async () => {
    await go("image", "copy", "ocidir://source:t1", "ocidir://both:go")
    whole("both", ["go"])
    await regctl("image", "copy", "ocidir://source:t2", "ocidir://both:ours")
    whole("both", ["go", "ours"])
    assert.strictEqual(await go("tag", "ls", "ocidir://both"), await regctl("tag", "ls", "ocidir://both"))
    await go("image", "copy", "ocidir://source:t3", "ocidir://both:go")
    whole("both", ["go", "ours"])
    await regctl("tag", "delete", "ocidir://both:go")
    whole("both", ["ours"])
    await go("image", "copy", "ocidir://both:ours", "ocidir://both:again")
    await regctl("image", "copy", "ocidir://source:t4", "ocidir://both:ours")
    await go("tag", "delete", "ocidir://both:ours")
    whole("both", ["again"])
    assert.strictEqual((await go("image", "digest", "ocidir://both:again")).trim(), images["t2"]?.digest)
  })

  it("lists the referrers that this one wrote, and the other way round", async () => {
    makeLayout(at("referred"))
    const subject = addImage(at("referred"), ["subject"])
    const named = { mediaType: subject.mediaType, digest: subject.digest, size: subject.size }
    const sbom = addImage(at("referred"), ["sbom"], { subject: named, artifactType: "application/x.sbom" })
    const list = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [sbom] })
    tagAll(at("referred"), {
      v1: subject,
      [subject.digest.replace(":", "-")]: addBlob(at("referred"), list, ociIndex)
    })
    await go("image", "copy", "--referrers", "ocidir://referred:v1", "ocidir://referred-go:v1")
    await regctl("image", "copy", "--referrers", "ocidir://referred-go:v1", "ocidir://referred-ours:v1")
    await go("image", "copy", "--referrers", "ocidir://referred-ours:v1", "ocidir://referred-back:v1")
    for (const layout of ["referred-go", "referred-ours", "referred-back"]) {
      whole(layout)
      assert.isTrue(existsSync(blobPath(at(layout), sbom.digest)), layout)
    }
  })
})
