/**
 * All that is released, with checksums: `npm run release [-- directory] [--allow-dirty] [--no-executables]`.
 *
 * The package for npm, an archive with each executable, an archive of each image, and an SBOM for each kind.
 */
import { createHash } from "node:crypto"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { bundledPackages } from "./bundled.ts"
import { writeExtras } from "./extras.ts"
import { buildImages } from "./images.ts"
import { type Entry, writeTar } from "./images/tree.ts"
import { built, epoch, isDirty, manifest, must, revision, root, say, script, type ToolName, tools } from "./run.ts"
import { bundledComponents, nodeComponents, sbom } from "./sbom.ts"

const { name, version } = manifest
const executables = join(root, "dist-sea")

const flags = process.argv.slice(2)
const allowDirty = flags.includes("--allow-dirty")

/** What a tool says of the build it comes from has to be what is released. */
const checkBuild = (tool: string, told: string): void => {
  const { commit, tag } = JSON.parse(told)
  if (tag !== `v${version}` || (revision !== "" && !allowDirty && commit !== revision)) {
    throw new Error(`${tool} is of ${tag} ${commit}, not of v${version} ${revision}: build it first`)
  }
}

const told = ["version", "--format", `{"tag":"{{.VCSTag}}","commit":"{{.VCSCommit}}"}`] as const

/** The package, without what only this machine knows. */
const packNpm = (out: string): void => {
  must("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", out])
  const listed = must("tar", ["-tzf", join(out, `${name}-${version}.tgz`)]).trim().split("\n")
  const strange = listed.filter((it) =>
    !/^package\/(?:(?:dist|man|completions|docs)\/|(?:package\.json|CHANGELOG\.md|LICENSE|README\.md|THIRD-PARTY\.txt)$)/
      .test(it)
  )
  if (strange.length > 0) throw new Error(`the package has ${strange.join(", ")}`)
  for (const it of ["dist/regctl.js", "man/regctl.1", "completions/regctl.bash", "THIRD-PARTY.txt"]) {
    if (!listed.includes(`package/${it}`)) throw new Error(`the package has no ${it}`)
  }
  const paths = must("tar", ["-xOzf", join(out, `${name}-${version}.tgz`)])
  for (const it of [root, "sourceMappingURL"]) if (paths.includes(it)) throw new Error(`the package names ${it}`)
}

/** A tool as one file, with its manual and completions. */
const packExecutable = (out: string, tool: ToolName): void => {
  const program = join(executables, tool)
  if (!existsSync(program)) throw new Error(`${program} is missing: npm run build:sea`)
  checkBuild(program, must(program, told, { env: { PATH: "/nonexistent" } }))
  const base = `${tool}-${version}-linux-x64`
  const copies = (dir: string, ...own: ReadonlyArray<RegExp>): ReadonlyArray<readonly [string, Entry]> =>
    readdirSync(join(root, dir))
      .filter((it) => own.some((pattern) => pattern.test(it)))
      .map((it) => [`${base}/${dir}/${it}`, { type: "copy", from: join(root, dir, it) }])
  const tar = join(out, `${base}.tar`)
  writeTar(
    tar,
    new Map<string, Entry>([
      [`${base}/${tool}`, { type: "copy", from: program, mode: 0o755 }],
      ...["LICENSE", "THIRD-PARTY.txt"].map((it) => [`${base}/${it}`, { type: "copy", from: join(root, it) }] as const),
      ...copies("man", new RegExp(`^${tool}[-.]`)),
      ...copies("completions", new RegExp(`^_?${tool}(?:\\.|$)`))
    ]),
    epoch
  )
  writeFileSync(`${tar}.gz`, gzipSync(readFileSync(tar)))
  rmSync(tar)
}

const hashOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex")

const release = async (out: string, withExecutables: boolean): Promise<void> => {
  if (isDirty && !allowDirty) throw new Error("files differ from the commit: commit them, or --allow-dirty")
  for (const tool of tools) checkBuild(`dist/${tool}.js`, built(tool, told))
  // A directory that is there holds one whole release.
  const scratch = mkdtempSync(join(tmpdir(), "regclient-release-"))
  const staged = join(scratch, "release")
  mkdirSync(staged)
  try {
    await writeExtras(root)
    const bundled = bundledComponents(await bundledPackages())
    packNpm(staged)
    writeFileSync(join(staged, `${name}-${version}-npm.cdx.json`), sbom(bundled))
    if (withExecutables) {
      for (const tool of tools) packExecutable(staged, tool)
      const node = nodeComponents({ amd64: hashOf(process.execPath) })
      writeFileSync(join(staged, `${name}-${version}-linux-x64.cdx.json`), sbom([...bundled, ...node]))
    }
    const images = join(scratch, "images")
    writeFileSync(join(staged, `${name}-${version}-images.cdx.json`), await buildImages(images))
    for (const tool of tools) {
      const archive = join(staged, `${tool}-${version}-image.tar`)
      built("regctl", [
        "image",
        "export",
        "--name",
        `${tool}:${version}`,
        `ocidir://${images}:${tool}`,
        archive
      ])
    }
    const files = readdirSync(staged).toSorted()
    for (const it of files) chmodSync(join(staged, it), 0o644)
    writeFileSync(join(staged, "SHA256SUMS"), files.map((it) => `${hashOf(join(staged, it))}  ${it}\n`).join(""))
    rmSync(out, { recursive: true, force: true })
    must("cp", ["-r", staged, out])
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

await script(async () => {
  const out = resolve(flags.find((it) => !it.startsWith("--")) ?? join(root, "release"))
  await release(out, !flags.includes("--no-executables"))
  say(readFileSync(join(out, "SHA256SUMS"), "utf8").trimEnd())
})
