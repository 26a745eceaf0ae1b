/** Whose code is in the bundle, as the bundler tells it, and under which terms. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import configs from "../rolldown.config.ts"
import { manifest, root } from "./run.ts"

export interface Bundled {
  readonly name: string
  readonly version: string
  readonly license: string
  /** The texts of its licence. */
  readonly terms: string
  /** The hash npm knows its archive by. */
  readonly integrity: string
}

const locked: Readonly<Record<string, { readonly integrity?: string }>> =
  JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages

/** Packages, by name, of which at least one line is in what is built. */
export const bundledPackages = async (): Promise<ReadonlyArray<Bundled>> => {
  const modules: Array<string> = []
  for (const config of [configs].flat()) {
    const bundle = await rolldown(config)
    const { output } = await bundle.generate([config.output].flat()[0])
    for (const chunk of output) {
      if (chunk.type !== "chunk") continue
      modules.push(
        ...Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) => renderedLength > 0 ? [id] : [])
      )
    }
    await bundle.close()
  }
  const names = modules.flatMap((id) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1] ?? [])
  return [...new Set(names)].toSorted().map((name) => {
    const dir = join(root, "node_modules", name)
    const { license, version } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"))
    const texts = readdirSync(dir).filter((it) => /^(?:licen[cs]e|copying|notice)/i.test(it)).toSorted()
    const terms = texts.map((it) => readFileSync(join(dir, it), "utf8").trim()).join("\n\n")
    const integrity = locked[`node_modules/${name}`]?.integrity ?? ""
    if (typeof license !== "string" || integrity === "") throw new Error(`${name} has no licence or no hash`)
    return { name, version, license, integrity, terms }
  })
}

/** What the licences ask to be told wherever the bundle goes. */
export const notices = (packages: ReadonlyArray<Bundled>): string =>
  [
    `${manifest.name} ${manifest.version} holds code of these packages:`,
    ...packages.map(({ license, name, terms, version }) =>
      `${"-".repeat(80)}\n${name} ${version} (${license})\n\n${
        terms === "" ? `Its terms are those of ${license}.` : terms
      }`
    )
  ].join("\n\n") + "\n"
