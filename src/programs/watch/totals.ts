/** Sums over the whole life of a daemon, for one job: what a monitoring system asks for. */
import type { Decision, PairResult, Task } from "../../schemas/Sync.ts"
import type { Run } from "./model.ts"

/** How often each bucket was hit, the last one for all that is longer, and the sum of all in seconds. */
export interface Histogram {
  readonly counts: ReadonlyArray<number>
  readonly sum: number
}

/** Upper bounds of the buckets, seconds: a look at a tag takes less than one, a large image minutes. */
export const bounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600] as const

export interface RunCount {
  readonly action: Task
  readonly outcome: "succeeded" | "failed"
  readonly count: number
}

export interface Totals {
  readonly runs: ReadonlyArray<RunCount>
  readonly decisions: ReadonlyMap<Decision, number>
  readonly outcomes: ReadonlyMap<PairResult["outcome"], number>
  /** By reason; `Other` for those without one. */
  readonly failures: ReadonlyMap<string, number>
  readonly bytes: number
  readonly saved: number
  readonly runTimes: Histogram
  readonly pairTimes: Histogram
  /** Milliseconds since 1970. */
  readonly lastSuccess?: number
}

const noTimes: Histogram = { counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 }

export const noTotals: Totals = {
  runs: [],
  decisions: new Map(),
  outcomes: new Map(),
  failures: new Map(),
  bytes: 0,
  saved: 0,
  runTimes: noTimes,
  pairTimes: noTimes
}

export const withPair = (totals: Totals, result: PairResult): Totals => ({
  ...totals,
  decisions: result.decision === undefined ? totals.decisions : raised(totals.decisions, result.decision),
  outcomes: raised(totals.outcomes, result.outcome),
  failures: result.outcome === "failed" ? withReason(totals.failures, result.reason) : totals.failures,
  bytes: totals.bytes + result.bytes,
  saved: totals.saved + result.saved,
  pairTimes: timed(totals.pairTimes, result.elapsed)
})

/** A reason is given when the run failed for one of its own. */
export const withRun = (totals: Totals, run: Run, reason: string | undefined): Totals => {
  const outcome = run.failures > 0 ? "failed" : "succeeded"
  const isSame = (it: RunCount) => it.action === run.action && it.outcome === outcome
  const known = totals.runs.some(isSame)
  return {
    ...totals,
    runs: known
      ? totals.runs.map((it) => isSame(it) ? { ...it, count: it.count + 1 } : it)
      : [...totals.runs, { action: run.action, outcome, count: 1 }],
    failures: reason === undefined ? totals.failures : withReason(totals.failures, reason),
    runTimes: timed(totals.runTimes, run.elapsed),
    ...(outcome === "succeeded" ? { lastSuccess: run.began + run.elapsed } : {})
  }
}

const timed = ({ counts, sum }: Histogram, milliseconds: number): Histogram => {
  const seconds = milliseconds / 1000
  const found = bounds.findIndex((bound) => seconds <= bound)
  const bucket = found === -1 ? bounds.length : found
  return { counts: counts.map((count, at) => at === bucket ? count + 1 : count), sum: sum + seconds }
}

/** Reasons are a closed list today; should that change, a monitoring system must not pay for it. */
const mostReasons = 100

const withReason = (failures: ReadonlyMap<string, number>, reason: string | undefined): ReadonlyMap<string, number> => {
  const isName = reason !== undefined && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(reason)
  const name = isName && (failures.has(reason) || failures.size < mostReasons) ? reason : "Other"
  return raised(failures, name)
}

const raised = <K>(counts: ReadonlyMap<K, number>, key: K): ReadonlyMap<K, number> =>
  new Map(counts).set(key, (counts.get(key) ?? 0) + 1)
