/** Runs contestants turn by turn and compares medians of one run: absolute times of one machine say nothing on another. */
import { spawn } from "node:child_process"

export interface Contestant {
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
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
}

/** One run, timed by bash: seconds of wall time and CPU. */
const timed = ({ command, env }: Contestant): Promise<Sample> =>
  new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", "TIMEFORMAT='@@ %R %U %S'; time \"$@\"", "bash", ...command], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let err = ""
    child.stderr.on("data", (it: Buffer) => {
      err += it.toString()
    })
    child.once("close", (code) => {
      const found = /@@ (\S+) (\S+) (\S+)\s*$/.exec(err)
      if (code !== 0 || found === null) return reject(new Error(`${command.join(" ")} ended with ${code}: ${err}`))
      resolve({ wall: Number(found[1]), cpu: Number(found[2]) + Number(found[3]) })
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
  readonly ratio: Sample
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
    return { name, median: { wall: median(all.map((it) => it.wall)), cpu: median(all.map((it) => it.cpu)) } }
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
    "| case | tool | wall s | CPU s | ours / its wall | ours / its CPU |",
    "|---|---|---|---|---|---|",
    ...rows.map(({ median, name, ratio, title }) =>
      `| ${title} | ${name} | ${median.wall.toFixed(3)} | ${median.cpu.toFixed(3)} | ${ratio.wall.toFixed(2)} | ${
        ratio.cpu.toFixed(2)
      } |`
    )
  ].join("\n")
