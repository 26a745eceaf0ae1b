/**
 * Measures the built tools against every peer found: `npm run bench -- [--case NAME] [--rounds N] [--quick]`. README.md
 * beside this says what it needs and what each case does. Tables go to standard output, as docs/benchmarks.md has them.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"
import { type Case, say } from "./bench.ts"
import { verdicts } from "./budgets.ts"
import { copies } from "./cases/copies.ts"
import { links } from "./cases/links.ts"
import { mirror } from "./cases/shared.ts"
import { startUp } from "./cases/startUp.ts"
import { tags } from "./cases/tags.ts"
import type { Row } from "./measure.ts"
import { type Options, optionsOf, usage } from "./options.ts"
import { isInMemory } from "./surroundings.ts"
import { table } from "./table.ts"
import { executable, peers } from "./tools.ts"

const all: ReadonlyArray<Case> = [...startUp, ...copies, ...mirror, ...tags, ...links]

const firstLine = (program: string | undefined, ...args: ReadonlyArray<string>): string | undefined => {
  if (program === undefined) return undefined
  try {
    return /\d+\.\d+[.\w]*/.exec(execFileSync(program, args, { encoding: "utf8" }))?.[0]
  } catch {
    return "unknown"
  }
}

const versions = () => ({
  "regctl (Go)": firstLine(peers.regctl, "version"),
  "regsync (Go)": firstLine(peers.regsync, "version"),
  crane: firstLine(peers.crane, "version"),
  oras: firstLine(peers.oras, "version"),
  skopeo: firstLine(peers.skopeo, "--version"),
  ab: firstLine(peers.ab, "-V"),
  "our single executable": executable("regctl") === undefined ? undefined : "built"
})

const hasShaInstructions = (): boolean => {
  try {
    return /^flags.*\bsha_ni\b/m.test(readFileSync("/proc/cpuinfo", "utf8"))
  } catch {
    return false
  }
}

const surroundingsText = ({ isQuick, rounds }: Options, load: number, minutes: number): string => {
  const found = Object.entries(versions())
  const there = found.flatMap(([name, version]) => version === undefined ? [] : [`${name} ${version}`])
  const missing = found.flatMap(([name, version]) => version === undefined ? [name] : [])
  const machine = [
    `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    `${hasShaInstructions() ? "with" : "without"} SHA instructions`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `load ${load.toFixed(1)} at the start`,
    `Node ${process.version}`
  ]
  return [
    `Machine: ${machine.join(", ")}.`,
    `Registries: docker-registry on loopback, storage ${isInMemory ? "in memory" : "on disk"}.`,
    `Peers: ${there.join(", ") || "none"}.${missing.length === 0 ? "" : ` Not found: ${missing.join(", ")}.`}`,
    isQuick ?
      "A quick run of small content: its figures mean nothing." :
      `Medians of ${rounds} interleaved rounds, more`
      + ` of short cases and one of very long ones; ${minutes.toFixed(0)} minutes in all.`
  ].join("\n")
}

/** The cases of these names; a name that is none stands for all that begin so. */
const casesOf = (names: ReadonlyArray<string>): ReadonlyArray<Case> => {
  const meant = new Set(names.flatMap((name) => {
    const exact = all.filter((it) => it.name === name)
    const found = exact.length > 0 ? exact : all.filter((it) => it.name.startsWith(name))
    if (found.length === 0) throw new Error(`--case ${name}: there are ${all.map((it) => it.name).join(", ")}`)
    return found
  }))
  return names.length === 0 ? all : all.filter((it) => meant.has(it))
}

const main = async (options: Options, chosen: ReadonlyArray<Case>): Promise<void> => {
  const [begin, [load = 0]] = [performance.now(), loadavg()]
  const rows: Array<Row> = []
  for (const { name, run, what } of chosen) {
    const start = performance.now()
    say(`${name}: ${what}`)
    try {
      rows.push(...await run(options))
    } catch (cause) {
      process.exitCode = 1
      say(`${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
    say(`  ${((performance.now() - start) / 1000).toFixed(0)} s`)
  }
  const minutes = (performance.now() - begin) / 60_000
  const budgets = verdicts(rows, options.cases.length === 0)
  const parts = [surroundingsText(options, load, minutes), table(rows), ...budgets]
  process.stdout.write(`${parts.join("\n\n")}\n`)
}

let chosen: ReadonlyArray<Case>
let options: Options
try {
  options = optionsOf(process.argv.slice(2))
  chosen = casesOf(options.cases)
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n${usage}`)
  process.exit(2)
}
if (options.isList) process.stdout.write(chosen.map((it) => `${it.name.padEnd(14)}${it.what}\n`).join(""))
else await main(options, chosen)
// Clients that keep connections open are no reason to stay.
process.exit()
