/** What `once` and `check` have in common: the client of the file, one run, its report, its end. */
import { Effect, Layer } from "effect"
import type { Action, Job } from "../../schemas/Sync.ts"
import { Clients, type ClientSettings } from "../../services/Clients.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { differs } from "../cli/report.ts"
import { showing } from "../watch/showing.ts"
import { openReport, type ReportOptions } from "./report.ts"
import { runJobs, type RunOutcome } from "./run.ts"
import { Shared } from "./shared.ts"

interface Loaded {
  readonly jobs: ReadonlyArray<Job>
  readonly client: ClientSettings
  readonly parallel: number
}

export interface OneRun extends ReportOptions {
  readonly action: Action
  readonly abortOnError: boolean
  /** What is stale is told by the exit status. */
  readonly exitCode?: boolean
}

/** Fails with all that failed, joined; interrupted, with the interruption. */
export const oneRun = Effect.fnUntraced(function*(loaded: Loaded, options: OneRun) {
  const { jobs, parallel } = loaded
  const { abortOnError, action, exitCode = false } = options
  yield* Effect.annotateLogs(Effect.logDebug("Configuring parallel settings"), { concurrent: Math.max(1, parallel) })
  const report = yield* openReport(options)
  const { open } = yield* Clients
  const client = yield* open(loaded.client)
  const outcomes: Array<RunOutcome> = []
  const run = Effect.map(
    runJobs(jobs, { action, parallel, abortOnError, each: report.pair, interrupted: report.cutShort }),
    (outcome) => void outcomes.push(outcome)
  )
  yield* (action === "check" ? run : showing(run)).pipe(
    Effect.provide(Layer.mergeAll(SyncEvents.layer, Shared.layer(parallel))),
    Effect.provideContext(client)
  )
  for (const { failure, summary } of outcomes) {
    yield* report.finish(summary)
    if (failure !== undefined) return yield* failure
    if (exitCode && summary.stale > 0) return yield* differs
  }
}, Effect.scoped)
