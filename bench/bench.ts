/** What every case of the benchmarks is made of: two registries, content in them, and contestants that are counted, then timed. */
import { statfsSync } from "node:fs"
import { join } from "node:path"
import { build } from "rolldown"
import { type Contestant, type Counts, type Row, timed } from "./measure.ts"
import type { Options } from "./options.ts"
import { type Registry, registry } from "./registries.ts"
import { scratch } from "./surroundings.ts"
import { trust } from "./tools.ts"

export interface Case {
  readonly name: string
  /** What it does, in a line. */
  readonly what: string
  readonly run: (options: Options) => Promise<ReadonlyArray<Row>>
}

export interface Pair {
  readonly source: Registry
  readonly target: Registry
}

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

export const sizeText = (size: number): string => size >= GiB ? `${size / GiB} GiB` : `${size / MiB} MiB`

export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Two registries for as long as `use` runs. */
export const withPair = async <A>(use: (pair: Pair) => Promise<A>): Promise<A> => {
  const [source, target] = await Promise.all([registry("source"), registry("target")])
  trust([source.host, target.host])
  try {
    return await use({ source, target })
  } finally {
    await Promise.all([source.stop(), target.stop()])
  }
}

/** Runs every contestant once, untimed, and counts what it asks of the two registries. Warms caches too. */
export const counted = async (
  { source, target }: Pair,
  contestants: ReadonlyArray<Contestant>,
  before: () => Promise<void> = async () => {}
): Promise<ReadonlyMap<string, Counts>> => {
  await Promise.all([source.restart(true), target.restart(true)])
  const counts = new Map<string, Counts>()
  for (const contestant of contestants) {
    await before()
    await timed(contestant)
    const [asked, sent] = await Promise.all([source.requests(), target.requests()])
    if (contestant.part === undefined)
      counts.set(contestant.name, { requests: asked.all + sent.all, uploads: sent.uploads, mounts: sent.mounts })
  }
  await Promise.all([source.restart(false), target.restart(false)])
  return counts
}

/** How much the scratch directory can still take, in bytes. */
export const room = (): number => {
  const { bavail, bsize } = statfsSync(scratch)
  return bavail * bsize
}

/** A program of this folder as the tools are shipped: one bundle. Returns the command that runs it. */
export const bundled = async (name: string): Promise<ReadonlyArray<string>> => {
  const dir = join(scratch, name)
  await build({
    input: join(import.meta.dirname, `${name}.ts`),
    platform: "node",
    logLevel: "silent",
    output: { dir, format: "esm", minify: true, codeSplitting: true }
  })
  return [process.execPath, join(dir, `${name}.js`)]
}
