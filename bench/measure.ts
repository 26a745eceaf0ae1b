/** Runs tools turn by turn and compares medians of one run: absolute times of one machine say nothing on another. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { scratch, start } from "./surroundings.ts"

export interface Contestant {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** At most so many rounds, for a tool that takes very long. */
  readonly rounds?: number
  /** The part of the work that is given to a tool that takes too long for all of it; its time is scaled up. */
  readonly part?: number
  /** Seconds of the work itself, read from what the command prints, in place of those of the process. */
  readonly seconds?: (output: string) => number
}

export interface Sample {
  readonly wall: number
  /** User and system seconds of the process and its children; 0 where only a part of what it did was timed. */
  readonly cpu: number
  /** Most memory that one process held at once, in MiB. */
  readonly peak: number
}

export interface Row {
  /** What budgets find it by. */
  readonly key: string
  readonly title: string
  readonly name: string
  readonly median: Sample
  /** The first tool's divided by this one's; 1 for the first. */
  readonly ratio: Pick<Sample, "wall" | "cpu">
  /** Content that was moved, in GiB, where that rules the time. */
  readonly gib?: number
  /** Requests of an untimed run. */
  readonly counts?: Counts
}

/** What a run asked of the registries. */
export interface Counts {
  readonly requests: number
  readonly uploads: number
  readonly mounts: number
}

/** Where the messages of the command go: they are wanted when it fails, and may not mix with what bash tells. */
const messages = join(scratch, "messages")
const script = "TIMEFORMAT='@@ %R %U %S'; time \"$@\" 2>\"$0\""

/** One run: seconds by bash, which counts milliseconds, and memory by GNU time, which knows it. */
export const timed = ({ command, cwd, env, part = 1, seconds }: Contestant): Promise<Sample> =>
  new Promise((resolve, reject) => {
    const child = start(["/usr/bin/time", "-f", "@@ %M", "bash", "-c", script, messages, ...command], {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["ignore", "pipe", "pipe"]
    })
    const texts = { out: "", err: "" }
    child.stdout?.on("data", (it: Buffer) => (texts.out += it.toString()))
    child.stderr?.on("data", (it: Buffer) => (texts.err += it.toString()))
    child.once("error", reject)
    child.once("close", (code) => {
      const found = /@@ (\S+) (\S+) (\S+)\s+@@ (\d+)\s*$/.exec(texts.err)
      if (code !== 0 || found === null)
        return reject(
          new Error(`${command.join(" ")} ended with ${code}: ${readFileSync(messages, "utf8")}${texts.err}`)
        )
      const [wall = 0, user = 0, system = 0, peak = 0] = found.slice(1).map(Number)
      const spent = seconds === undefined ? wall : seconds(texts.out)
      const isWhole = seconds === undefined && part === 1
      resolve({ wall: spent / part, cpu: isWhole ? user + system : 0, peak: peak / 1024 })
    })
  })

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? 0 : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

export interface Comparison {
  readonly key: string
  readonly title: string
  /** The first is ours; the others are measured against it. */
  readonly contestants: ReadonlyArray<Contestant>
  /** Rounds; in each, every contestant runs once. */
  readonly rounds: number
  /** Before each single run. */
  readonly before?: () => Promise<void>
  readonly gib?: number
  /** What untimed runs asked for, by the contestants' names. */
  readonly counts?: ReadonlyMap<string, Counts>
}

/** Interleaved runs of all contestants: one row each, of medians. */
export const measure = async (
  { before, contestants, counts, gib, key, rounds, title }: Comparison
): Promise<ReadonlyArray<Row>> => {
  const samples = new Map(contestants.map((it) => [it.name, [] as Array<Sample>]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants.filter((it) => round < (it.rounds ?? rounds))) {
      await before?.()
      samples.get(contestant.name)?.push(await timed(contestant))
    }
  }
  const medians = contestants.map(({ name }) => {
    const all = samples.get(name) ?? []
    const of = (part: keyof Sample) => median(all.map((it) => it[part]))
    return { name, median: { wall: of("wall"), cpu: of("cpu"), peak: of("peak") } }
  })
  const ours = medians[0]?.median ?? { wall: 0, cpu: 0 }
  return medians.map(({ median, name }) => {
    const ratio = { wall: ours.wall / median.wall, cpu: ours.cpu / median.cpu }
    const counted = counts?.get(name)
    return {
      key,
      title,
      name,
      median,
      ratio,
      ...(gib === undefined ? {} : { gib }),
      ...(counted === undefined ? {} : { counts: counted })
    }
  })
}
