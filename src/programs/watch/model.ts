/** What is known of a running daemon: folded from its events, of bounded size however long it runs. */
import { uncredentialed } from "../../lib/uncredentialed.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import type { PairResult, SyncEvent, Task, Watched } from "../../schemas/Sync.ts"
import { advance, type Progress, start } from "./progress.ts"
import { noTotals, type Totals, withPair, withRun } from "./totals.ts"

/** One run of a job that ended. Times are milliseconds. */
export interface Run {
  readonly action: Task
  readonly began: number
  readonly elapsed: number
  /** Pairs looked at, how many of them were copied or looked after, and how many a check found to be copied. */
  readonly pairs: number
  readonly copied: number
  readonly stale: number
  readonly failures: number
  readonly bytes: number
  readonly saved: number
}

export interface Failure {
  readonly job: string
  readonly source: string
  readonly target: string
  readonly error: string
  readonly reason: string
  readonly time: number
}

/** Why a pair stands still. */
export interface Wait {
  readonly remaining: number
  readonly limit: number
  readonly min: number
  /** Milliseconds between two looks. */
  readonly sleep: number
}

export interface Pair {
  readonly source: string
  readonly target: string
  readonly began: number
  readonly progress: Progress
  readonly wait?: Wait
}

export interface JobState {
  readonly name: string
  readonly source: string
  readonly target: string
  readonly type: string
  /** As the file has it; `@every 1h` for an interval; empty for neither. */
  readonly schedule: string
  /** The run at work: what ended of it is summed up. */
  readonly current?: Run
  /** Pairs of the run at work, as far as they are known. */
  readonly listed?: number
  /** By target: what is worked on now. */
  readonly pairs: ReadonlyMap<string, Pair>
  readonly next?: number
  /** The last 100, the newest last. */
  readonly runs: ReadonlyArray<Run>
  readonly totals: Totals
}

export interface Quota {
  readonly remaining: number
  readonly limit: number
}

export interface Model {
  readonly began: number
  readonly isReady: boolean
  /** Why the newest configuration is not in use. */
  readonly refused?: { readonly error: string; readonly time: number }
  /** In the order of the configuration. */
  readonly jobs: ReadonlyMap<string, JobState>
  /** The last 50, the newest first. */
  readonly failures: ReadonlyArray<Failure>
  /** By registry. */
  readonly quotas: ReadonlyMap<string, Quota>
}

const most = { runs: 100, pairs: 200, failures: 50, quotas: 100, name: 512, error: 2000 }

export const empty = (began: number): Model => ({
  began,
  isReady: false,
  jobs: new Map(),
  failures: [],
  quotas: new Map()
})

/** The model after one more event. Events of jobs that the configuration does not name count for nothing. */
export const observe = (model: Model, event: SyncEvent): Model => {
  switch (event._tag) {
    case "Configured":
      return configured(model, event.jobs)
    case "ConfigRefused":
      return { ...model, refused: { error: shown(event.error, most.error), time: event.time } }
    case "Ready":
      return { ...model, isReady: true }
    case "Limited":
      return limited(model, event.registry, event)
    case "Waiting": {
      const { limit, min, remaining, sleep, source } = event
      const known = limited(model, registryOf(source), event)
      const waiting = (pair: Pair) => pair.source === shown(source, most.name)
      return withJob(known, event.job, (job) => ({
        ...job,
        pairs: mapped(job.pairs, (pair) => waiting(pair) ? { ...pair, wait: { limit, min, remaining, sleep } } : pair)
      }))
    }
    case "PairEnded":
      return failed(
        withJob(model, event.result.job, (job) => pairEnded(job, event.result)),
        failureOf(event.result, event.time)
      )
    case "JobEnded": {
      const job = model.jobs.get(event.job)
      if (job === undefined) return model
      const { error = "", job: name, reason = "", time } = event
      const failure = { job: name, source: job.source, target: job.target, error, reason, time }
      const isTold = event.error !== undefined
      return failed(
        withJob(model, name, (it) => jobEnded(it, event, isTold ? reason : undefined)),
        isTold ? failure : undefined,
        shownLines
      )
    }
    case "Scheduled":
      // Nothing is scheduled before the first pass ended (regsync description, 10.4).
      return { ...withJob(model, event.job, (job) => scheduled(job, event.next)), isReady: true }
    case "JobStarted":
    case "Listed":
    case "PairStarted":
    case "Copying":
      return withJob(model, event.job, (job) => worked(job, event))
  }
}

type Work = Extract<SyncEvent, { readonly _tag: "JobStarted" | "Listed" | "PairStarted" | "Copying" }>

const worked = (job: JobState, event: Work): JobState => {
  switch (event._tag) {
    case "JobStarted": {
      const { listed: _, ...rest } = job
      return { ...rest, pairs: new Map(), current: started(event.action, event.time) }
    }
    case "Listed":
      return { ...job, listed: (job.listed ?? 0) + event.pairs }
    case "PairStarted": {
      const pair = {
        source: shown(event.source, most.name),
        target: shown(event.target, most.name),
        began: event.time,
        progress: start
      }
      return { ...job, pairs: new Map([...job.pairs, [event.target, pair] as const].slice(-most.pairs)) }
    }
    case "Copying": {
      const pair = job.pairs.get(event.target)
      if (pair === undefined) return job
      // What copies waits no more.
      const { wait: _, ...rest } = pair
      const moved = { ...rest, progress: advance(pair.progress, event.event) }
      return { ...job, pairs: new Map([...job.pairs, [event.target, moved]]) }
    }
  }
}

const started = (action: Task, began: number): Run => ({
  action,
  began,
  elapsed: 0,
  pairs: 0,
  copied: 0,
  stale: 0,
  failures: 0,
  bytes: 0,
  saved: 0
})

const pairEnded = (job: JobState, result: PairResult): JobState => {
  const pairs = new Map(job.pairs)
  pairs.delete(result.target)
  const totals = withPair(job.totals, result)
  if (job.current === undefined) return { ...job, pairs, totals }
  const { current } = job
  const isCopied = result.outcome === "copied" || result.outcome === "refreshed"
  return {
    ...job,
    pairs,
    totals,
    current: {
      ...current,
      pairs: current.pairs + 1,
      copied: current.copied + (isCopied ? 1 : 0),
      stale: current.stale + (result.outcome === "stale" ? 1 : 0),
      failures: current.failures + (result.outcome === "failed" ? 1 : 0),
      bytes: current.bytes + result.bytes,
      saved: current.saved + result.saved
    }
  }
}

type Ended = Extract<SyncEvent, { readonly _tag: "JobEnded" }>

const jobEnded = (job: JobState, { elapsed, failures, time }: Ended, reason: string | undefined): JobState => {
  const { current = started("copy", time - elapsed), listed: _, ...rest } = job
  // A script may have dealt with the failure of a copy.
  const isScript = current.action === "run"
  const run = { ...current, elapsed, failures: isScript ? failures : Math.max(failures, current.failures) }
  return {
    ...rest,
    pairs: new Map(),
    runs: [...job.runs, run].slice(-most.runs),
    totals: withRun(job.totals, run, reason)
  }
}

const scheduled = (job: JobState, next: number | undefined): JobState => {
  const { next: _, ...rest } = job
  return next === undefined ? rest : { ...rest, next }
}

/** A job that keeps its name keeps its history. */
const configured = (model: Model, jobs: ReadonlyArray<Watched>): Model => {
  const { refused: _, ...rest } = model
  const states = jobs.map(({ name, schedule, source, target, type }): readonly [string, JobState] => {
    const { next: _, ...known } = model.jobs.get(name) ?? { name, pairs: new Map(), runs: [], totals: noTotals }
    return [name, {
      ...known,
      source: shown(source, most.name),
      target: shown(target, most.name),
      type: shown(type, most.name),
      schedule: shown(schedule, most.name)
    }]
  })
  return { ...rest, jobs: new Map(states) }
}

const failureOf = (result: PairResult, time: number): Failure | undefined =>
  result.outcome !== "failed" ? undefined : {
    job: result.job,
    source: result.source,
    target: result.target,
    error: result.error ?? "failed",
    reason: result.reason ?? "",
    time
  }

const failed = (model: Model, failure: Failure | undefined, textOf = shown): Model => {
  if (failure === undefined) return model
  const told = {
    ...failure,
    source: shown(failure.source, most.name),
    target: shown(failure.target, most.name),
    error: textOf(failure.error, most.error),
    reason: shown(failure.reason, most.name)
  }
  return { ...model, failures: [told, ...model.failures].slice(0, most.failures) }
}

const limited = (model: Model, registry: string, { limit, remaining }: Quota): Model => {
  const quotas = new Map(model.quotas).set(shown(registry, most.name), { limit, remaining })
  const [oldest] = quotas.keys()
  if (quotas.size > most.quotas && oldest !== undefined) quotas.delete(oldest)
  return { ...model, quotas }
}

/** The host of a common name. */
const registryOf = (name: string): string => name.split("/")[0] ?? ""

const withJob = (model: Model, name: string, change: (job: JobState) => JobState): Model => {
  const job = model.jobs.get(name)
  return job === undefined ? model : { ...model, jobs: new Map(model.jobs).set(name, change(job)) }
}

const mapped = <K, V>(map: ReadonlyMap<K, V>, change: (value: V) => V): ReadonlyMap<K, V> =>
  new Map([...map].map(([key, value]) => [key, change(value)]))

/** Kept and shown without what acts on a reader, without secrets, and not longer than anybody reads. */
const shown = (text: string, limit: number): string => cut(visible(uncredentialed(text.slice(0, 4 * limit))), limit)

/** The same line by line: below the error of a script stands its stack. */
const shownLines = (text: string, limit: number): string =>
  cut(text.slice(0, 4 * limit).split("\n").map((line) => shown(line.replace(/^\t/, "  "), limit)).join("\n"), limit)
