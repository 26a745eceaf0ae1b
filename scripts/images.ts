/**
 * The container images of the three tools, made by regctl in a layout: `npm run build:images [directory]`.
 *
 * Layers are the system, Node, and the tools; the last is the same for every platform. Equal sources and packages give
 * equal digests.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { bundledPackages, notices } from "./bundled.ts"
import { debianFor, user } from "./images/debian.ts"
import { neededBy } from "./images/elf.ts"
import { type Architecture, nodeFor } from "./images/node.ts"
import { type Entry, found, type Tree, writeTar } from "./images/tree.ts"
import { built, createdAt, manifest, revision, root, say, script, tools } from "./run.ts"
import { bundledComponents, debianComponents, nodeComponents, sbom } from "./sbom.ts"

const architectures: ReadonlyArray<Architecture> = ["amd64", "arm64"]

/** Where the tools are in an image. */
const home = "usr/lib/regclient"

/** The tools as built, called by the one Node there is, and their names on the path. */
const app = (terms: string): Tree =>
  new Map<string, Entry>([
    ...[...found(join(root, "dist"))].map(([path, entry]) => [`${home}/${path}`, entry] as const),
    ...tools.flatMap((tool): ReadonlyArray<readonly [string, Entry]> => {
      const code = readFileSync(join(root, "dist", `${tool}.js`), "utf8")
      if (!code.startsWith("#!/usr/bin/env node\n")) throw new Error(`dist/${tool}.js does not begin as a program does`)
      return [
        [`${home}/${tool}.js`, { type: "file", body: code.replace("/env ", "/"), mode: 0o755 }],
        [`usr/bin/${tool}`, { type: "symlink", linkname: `../lib/regclient/${tool}.js` }]
      ]
    }),
    [`${home}/package.json`, {
      type: "file",
      body: `${JSON.stringify({ name: manifest.name, version: manifest.version, type: "module" })}\n`
    }],
    ["usr/share/doc/regclient/LICENSE", { type: "copy", from: join(root, "LICENSE") }],
    ["usr/share/doc/regclient/THIRD-PARTY.txt", { type: "file", body: terms }]
  ])

/** What a program needs and a system has not: its loader by its path, libraries by their names. */
const lacking = (program: Buffer, system: Tree): ReadonlyArray<string> => {
  const { libraries, loader } = neededBy(program)
  const names = new Set([...system.keys()].map((it) => it.slice(it.lastIndexOf("/") + 1)))
  return [
    ...(system.has(`usr${loader}`) ? [] : [loader]),
    ...libraries.filter((it) => !names.has(it))
  ]
}

/** Makes the images in a new layout at `out`, in place of what was there, and gives the SBOM they refer to. */
export const buildImages = async (out: string): Promise<string> => {
  const packages = await bundledPackages()
  const scratch = mkdtempSync(join(tmpdir(), "regclient-images-"))
  try {
    const layout = `ocidir://${join(scratch, "layout")}`
    const layer = (name: string, tree: Tree): string => {
      const file = join(scratch, `${name}.tar`)
      writeTar(file, tree)
      return `tar=${file}`
    }
    const bases = architectures.map((architecture) => {
      const dir = join(scratch, architecture)
      mkdirSync(dir)
      const system = debianFor(architecture, dir)
      const node = nodeFor(architecture, dir)
      const missing = lacking(node.program, system.tree)
      if (missing.length > 0)
        throw new Error(`no package has ${missing.join(", ")}, which Node for ${architecture} needs`)
      const base = `${layout}:${architecture}`
      built("regctl", ["image", "create", base, "--platform", `linux/${architecture}`, "--created", createdAt])
      const layers = [layer(`system-${architecture}`, system.tree), layer(`node-${architecture}`, node.tree)]
      built("regctl", ["image", "mod", base, "--replace", ...layers.flatMap((it) => ["--layer-add", it])])
      rmSync(dir, { recursive: true })
      const { distribution, packages } = system
      return { architecture, base, system: { distribution, packages }, node: { sha256: node.sha256 } }
    })
    built("regctl", ["index", "create", `${layout}:base`, ...bases.flatMap(({ base }) => ["--ref", base])])
    const code = layer("app", app(notices(packages)))
    const parts = sbom([
      ...bundledComponents(packages),
      ...nodeComponents(Object.fromEntries(bases.map(({ architecture, node }) => [architecture, node.sha256]))),
      ...debianComponents(bases.flatMap(({ system }) => system.packages), bases[0]?.system.distribution ?? "")
    ])
    rmSync(out, { recursive: true, force: true })
    for (const tool of tools) {
      const image = `ocidir://${out}:${tool}`
      built("regctl", ["image", "mod", `${layout}:base`, "--create", tool, "--layer-add", code, ...settings(tool)])
      built("regctl", ["image", "copy", `${layout}:${tool}`, image])
      const type = "application/vnd.cyclonedx+json"
      const file = join(scratch, `${tool}.cdx.json`)
      writeFileSync(file, parts)
      built("regctl", [
        "artifact",
        "put",
        "--subject",
        image,
        "--artifact-type",
        type,
        "--file",
        file,
        "-m",
        type,
        "--file-title",
        "--strip-dirs"
      ])
    }
    return parts
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const settings = (tool: string): ReadonlyArray<string> => {
  const told = {
    "org.opencontainers.image.title": tool,
    "org.opencontainers.image.description": `${tool} of regclient`,
    "org.opencontainers.image.version": manifest.version,
    "org.opencontainers.image.licenses": manifest.license,
    "org.opencontainers.image.created": createdAt,
    ...(revision === "" ? {} : { "org.opencontainers.image.revision": revision })
  }
  const each = (flag: string, values: Readonly<Record<string, string>>, before = "") =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${before}${name}=${value}`])
  return [
    "--config-entrypoint",
    JSON.stringify([`/usr/bin/${tool}`]),
    "--user",
    `${user.id}:${user.id}`,
    "--workdir",
    user.home,
    ...each("--env", { PATH: "/usr/bin", HOME: user.home, SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt" }),
    ...each("--label", told),
    ...each("--annotation", told, "[*]"),
    "--config-time",
    `set=${createdAt}`
  ]
}

if (import.meta.main) {
  await script(async () => {
    const out = resolve(process.argv[2] ?? join(root, "dist-images"))
    await buildImages(out)
    for (const tool of tools) {
      const image = `ocidir://${out}:${tool}`
      say(`${image} ${built("regctl", ["image", "digest", image]).trim()}`)
    }
  })
}
