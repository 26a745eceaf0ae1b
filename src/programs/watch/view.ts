/**
 * The model as JSON for people and programs. Times are RFC 3339 in UTC, durations (`elapsed`, `sleep`) milliseconds,
 * sizes bytes; what is not known is left out.
 */
import { DateTime } from "effect"
import type { Failure, JobState, Model, Pair, Run } from "./model.ts"
import { sample } from "./progress.ts"

/** Runs that a list of all jobs shows of each; a job asked for by its name shows all that are kept. */
const shortHistory = 40

export interface Surroundings {
  readonly tool: string
  readonly version: string
  /** Whether runs can be asked for. */
  readonly canRun: boolean
}

const iso = (time: number): string => DateTime.formatIso(DateTime.makeUnsafe(time))

/** All there is to show. */
export const stateView = ({ canRun, tool, version }: Surroundings, model: Model, now: number) => ({
  tool,
  version,
  canRun,
  began: iso(model.began),
  ...newsView(model, now),
  jobs: [...model.jobs.values()].map((job) => jobView(job))
})

/** What is short and may have changed with any event. */
export const newsView = (model: Model, now: number) => ({
  time: iso(now),
  ready: model.isReady,
  ...(model.refused === undefined
    ? {}
    : { refused: { error: model.refused.error, time: iso(model.refused.time) } }),
  quotas: [...model.quotas].map(([registry, quota]) => ({ registry, ...quota })),
  failures: model.failures.map(failureView)
})

export const jobView = (job: JobState, history = shortHistory) => ({
  name: job.name,
  source: job.source,
  target: job.target,
  type: job.type,
  schedule: job.schedule,
  state: stateOf(job),
  ...(job.current === undefined ? {} : { current: runView(job.current) }),
  ...(job.listed === undefined ? {} : { listed: job.listed }),
  ...(job.next === undefined ? {} : { next: iso(job.next) }),
  copying: [...job.pairs.values()].map(pairView),
  runs: job.runs.slice(-history).map(runView)
})

/** `waiting` when all that is at work waits for pulls to come back. */
const stateOf = (job: JobState): "idle" | "running" | "waiting" => {
  if (job.current === undefined) return "idle"
  const pairs = [...job.pairs.values()]
  return pairs.length > 0 && pairs.every(({ wait }) => wait !== undefined) ? "waiting" : "running"
}

const pairView = ({ began, progress, source, target, wait }: Pair) => ({
  source,
  target,
  began: iso(began),
  ...sample(progress),
  ...(wait === undefined ? {} : { wait })
})

const runView = ({ began, ...run }: Run) => ({ began: iso(began), ...run })

const failureView = ({ time, ...failure }: Failure) => ({ time: iso(time), ...failure })
