/** Runs contestants turn by turn and compares medians of one run: absolute times of one machine say nothing on another. */
import { spawn } from "node:child_process"

export interface Contestant {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Case {
  readonly title: string
  readonly contestants: ReadonlyArray<Contestant>
  /** Rounds; in each, every contestant runs once. */
  readonly rounds: number
  /** Before each single run. */
  readonly before?: (contestant: Contestant) => Promise<void>
}

export interface Sample {
  readonly wall: number
  /** User and system seconds of the process and its children. */
  readonly cpu: number
  /** Most memory the process held at once, in MiB. */
  readonly peak: number
}

/** One run: seconds by bash, which counts milliseconds, and memory by GNU time, which knows it. */
const timed = ({ command, cwd, env }: Contestant): Promise<Sample> =>
  new Promise((resolve, reject) => {
    const script = "TIMEFORMAT='@@ %R %U %S'; time command time -f '@@ %M' \"$@\""
    const child = spawn("bash", ["-c", script, "bash", ...command], {
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ["ignore", "ignore", "pipe"]
    })
    let err = ""
    child.stderr.on("data", (it: Buffer) => {
      err += it.toString()
    })
    child.once("close", (code) => {
      const found = /@@ (\d+)\s+@@ (\S+) (\S+) (\S+)\s*$/.exec(err)
      if (code !== 0 || found === null) return reject(new Error(`${command.join(" ")} ended with ${code}: ${err}`))
      const [peak = 0, wall = 0, user = 0, system = 0] = found.slice(1).map(Number)
      resolve({ wall, cpu: user + system, peak: peak / 1024 })
    })
  })

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? 0 : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

export interface Row {
  readonly title: string
  readonly name: string
  readonly median: Sample
  /** Ours divided by this contestant's; 1 for ourselves. */
  readonly ratio: Pick<Sample, "wall" | "cpu">
}

/** The first contestant is ours; the others are measured against it. */
export const measure = async ({ before, contestants, rounds, title }: Case): Promise<ReadonlyArray<Row>> => {
  const samples = new Map(contestants.map((it) => [it.name, [] as Array<Sample>]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      await before?.(contestant)
      samples.get(contestant.name)?.push(await timed(contestant))
    }
  }
  const medians = contestants.map(({ name }) => {
    const all = samples.get(name) ?? []
    const of = (part: keyof Sample) => median(all.map((it) => it[part]))
    return { name, median: { wall: of("wall"), cpu: of("cpu"), peak: of("peak") } }
  })
  const ours = medians[0]?.median ?? { wall: 0, cpu: 0 }
  return medians.map(({ median, name }) => ({
    title,
    name,
    median,
    ratio: { wall: ours.wall / median.wall, cpu: ours.cpu / median.cpu }
  }))
}

/** A Markdown table. */
export const table = (rows: ReadonlyArray<Row>): string =>
  [
    "| case | tool | ours / its wall | ours / its CPU | wall s | CPU s | peak MiB |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(({ median, name, ratio, title }) => {
      const figures = [ratio.wall.toFixed(2), ratio.cpu.toFixed(2), median.wall.toFixed(3), median.cpu.toFixed(3)]
      return `| ${[title, name, ...figures, median.peak.toFixed(0)].join(" | ")} |`
    })
  ].join("\n")
