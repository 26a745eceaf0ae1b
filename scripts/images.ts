/**
 * The container images of the three tools, made by regctl in a layout: `npm run build:images [directory]`.
 *
 * Layers are the system, Node, and the tools; the last is the same for every platform. Equal sources and packages give
 * equal digests.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { debianFor, type Package, user } from "./images/debian.ts"
import { neededBy } from "./images/elf.ts"
import { type Architecture, nodeFor, nodeVersion } from "./images/node.ts"
import { type Entry, found, type Tree, writeTar } from "./images/tree.ts"
import { built, createdAt, manifest, revision, root, say, script, tools } from "./run.ts"

const architectures: ReadonlyArray<Architecture> = ["amd64", "arm64"]

/** Where the tools are in an image. */
const home = "usr/lib/regclient"

/** The tools as built, called by the one Node there is, and their names on the path. */
const app = (): Tree =>
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
    ["usr/share/doc/regclient/LICENSE", { type: "copy", from: join(root, "LICENSE") }]
  ])

export interface Built {
  readonly packages: ReadonlyArray<Package>
  readonly distribution: string
  /** SHA-256 of Node's program for each platform. */
  readonly nodes: Readonly<Record<string, string>>
}

/** What a program needs and a system has not: its loader by its path, libraries by their names. */
const lacking = (program: Buffer, system: Tree): ReadonlyArray<string> => {
  const { libraries, loader } = neededBy(program)
  const names = new Set([...system.keys()].map((it) => it.slice(it.lastIndexOf("/") + 1)))
  return [
    ...(system.has(`usr${loader}`) ? [] : [loader]),
    ...libraries.filter((it) => !names.has(it))
  ]
}

/** Makes the images in a new layout at `out`, in place of what was there. */
export const buildImages = (out: string): Built => {
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
      return { architecture, base, system, node }
    })
    built("regctl", ["index", "create", `${layout}:base`, ...bases.flatMap(({ base }) => ["--ref", base])])
    const code = layer("app", app())
    rmSync(out, { recursive: true, force: true })
    for (const tool of tools) {
      built("regctl", ["image", "mod", `${layout}:base`, "--create", tool, "--layer-add", code, ...settings(tool)])
      built("regctl", ["image", "copy", `${layout}:${tool}`, `ocidir://${out}:${tool}`])
    }
    return {
      packages: bases.flatMap(({ system }) => system.packages),
      distribution: bases[0]?.system.distribution ?? "",
      nodes: Object.fromEntries(bases.map(({ architecture, node }) => [architecture, node.sha256]))
    }
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
  await script(() => {
    const out = resolve(process.argv[2] ?? join(root, "dist-images"))
    const { distribution, packages } = buildImages(out)
    say(
      `Node ${nodeVersion} on ${distribution}: ${packages.map(({ name, version }) => `${name} ${version}`).join(", ")}`
    )
    for (const tool of tools)
      say(`${out}:${tool} ${built("regctl", ["image", "digest", `ocidir://${out}:${tool}`]).trim()}`)
  })
}
