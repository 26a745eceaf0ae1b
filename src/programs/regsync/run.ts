/** A run over entries: one after the other or all at once, every failure collected (regsync description, 9 and 10). */
import { Clock, Data, Effect, Exit, Stream } from "effect"
import { Shown } from "../../lib/slog.ts"
import { commonName, type Ref, type Tag } from "../../schemas/Ref.ts"
import { type Action, type Job, type PairResult, type RunSummary, SyncEvent, SyncFailed } from "../../schemas/Sync.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { WillWrite } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import { Secrets } from "../../services/Secrets.ts"
import { SyncEvents } from "../../services/SyncEvents.ts"
import { reasonOf } from "../cli/report.ts"
import { checkSkipped } from "../skipped.ts"
import { RunHeads, SourceHeads } from "./heads.ts"
import { syncPair } from "./image.ts"
import { parseEnd, parseRepository, repositoriesOf, type Skips, tagsOf } from "./items.ts"
import { loggedDuration } from "./logged.ts"
import { type Item, look } from "./look.ts"
import { Shared } from "./shared.ts"

export interface RunOptions {
  readonly action: Action
  /** Above 0, entries run at once; a check never does. */
  readonly parallel: number
  /** The first failure ends the run. */
  readonly abortOnError: boolean
  /** Its summary is for those who look closely: a daemon has many runs. */
  readonly isQuiet?: boolean
  /** Told of each pair, and of each entry that failed before it had one. */
  readonly each?: (result: PairResult) => Effect.Effect<void>
  /** Told what was done when the run is cut short from outside. */
  readonly interrupted?: (summary: RunSummary) => Effect.Effect<void>
}

export interface RunOutcome {
  readonly summary: RunSummary
  /** What the run fails with. */
  readonly failure?: SyncFailed
}

/** The first failure was the last one wanted. */
class Aborted extends Data.TaggedError("Aborted") {}

/** Tags of one repository that are looked at ahead of the one at work. */
const ahead = 8
/** Texts kept of what failed. */
const maxMessages = 1_000

/** Runs the entries once. What fails is told in the outcome. */
export const runJobs = Effect.fn("regsync run")(function*(jobs: ReadonlyArray<Job>, options: RunOptions) {
  const { action, isQuiet = false, parallel } = options
  const log = isQuiet ? Effect.logDebug : Effect.logInfo
  const began = yield* Clock.currentTimeMillis
  const tally = new Tally()
  const { working } = yield* Shared
  yield* Effect.forEach(jobs, (job) => working(runJob(job, options, tally)), {
    // The bound is that of all runs together.
    concurrency: parallel > 0 && action !== "check" ? "unbounded" : 1,
    discard: true
  }).pipe(
    Effect.provideService(RunHeads, new SourceHeads()),
    Effect.catchTag("Aborted", () => Effect.void),
    Effect.onExit(Effect.fnUntraced(function*(exit) {
      const elapsed = (yield* Clock.currentTimeMillis) - began
      const message = Exit.isSuccess(exit) ? "Run finished" : "Run interrupted"
      yield* Effect.annotateLogs(log(message), { ...tally.counts, elapsed: loggedDuration(elapsed) })
      if (Exit.isSuccess(exit) || options.interrupted === undefined) return
      yield* options.interrupted({ action, ...tally.counts, elapsed, interrupted: true })
    }))
  )
  const summary: RunSummary = { action, ...tally.counts, elapsed: (yield* Clock.currentTimeMillis) - began }
  const outcome: RunOutcome = { summary, ...tally.failure() }
  return outcome
})

/** What happened so far, in bounded memory. */
class Tally {
  readonly counts = { copied: 0, refreshed: 0, current: 0, ignored: 0, stale: 0, failed: 0, bytes: 0, saved: 0 }
  readonly #messages: Array<string> = []
  readonly #reasons = new Set<string>()

  add({ bytes, error, outcome, reason, saved }: PairResult): void {
    this.counts[outcome]++
    this.counts.bytes += bytes
    this.counts.saved += saved
    if (outcome !== "failed") return
    if (this.#messages.length < maxMessages) this.#messages.push(error ?? "")
    this.#reasons.add(reason ?? "Unknown")
  }

  failure(): { readonly failure?: SyncFailed } {
    if (this.counts.failed === 0) return {}
    const more = this.counts.failed - this.#messages.length
    const messages = more > 0 ? [...this.#messages, `and ${more} more`] : this.#messages
    const [reason, other] = this.#reasons
    const isOne = reason !== undefined && other === undefined
    return { failure: new SyncFailed({ messages, ...(isOne ? { reason: { _tag: reason } } : {}) }) }
  }
}

const runJob = Effect.fnUntraced(function*(job: Job, options: RunOptions, tally: Tally) {
  const { publish } = yield* SyncEvents
  const began = yield* Clock.currentTimeMillis
  let failures = 0
  const ended = Effect.fnUntraced(function*(result: PairResult) {
    tally.add(result)
    yield* publish(SyncEvent.PairEnded({ result, time: yield* Clock.currentTimeMillis }))
    if (options.each !== undefined) yield* options.each(result)
    if (result.outcome !== "failed") return
    failures++
    if (options.abortOnError) return yield* new Aborted()
  })
  yield* publish(SyncEvent.JobStarted({ job: job.name, action: options.action, time: began }))
  yield* Effect.ensuring(
    workOn({ job, options, ended }),
    Effect.flatMap(
      Clock.currentTimeMillis,
      (time) => publish(SyncEvent.JobEnded({ job: job.name, failures, elapsed: time - began, time }))
    )
  )
})

interface Work {
  readonly job: Job
  readonly options: RunOptions
  /** Notes how a pair ended; ends the run where that is wanted. */
  readonly ended: (result: PairResult) => Effect.Effect<void, Aborted>
}

const workOn = (work: Work) => {
  const { entry } = work.job
  switch (entry.type) {
    case "registry":
      return runRegistry(work)
    case "repository":
      return runRepository(work, entry)
    case "image":
      return runImage(work)
    default:
      return runUnknown(work)
  }
}

interface Ends {
  readonly source: string
  readonly target: string
}

/** What failed before there was a pair. */
const failed = Effect.fnUntraced(function*({ ended, job }: Work, { source, target }: Ends, error: Error) {
  const began = yield* Clock.currentTimeMillis
  const told = { error: (yield* Secrets).censored(error.message), reason: reasonOf(error) }
  yield* ended({ job: job.name, source, target, outcome: "failed", ...told, bytes: 0, saved: 0, began, elapsed: 0 })
})

const runUnknown = Effect.fnUntraced(function*(work: Work) {
  const { entry } = work.job
  const { source, target, type } = entry
  yield* Effect.annotateLogs(
    Effect.logError("Type not recognized, must be one of: registry, repository, or image"),
    { step: new Shown(`{Source:${source} Target:${target} Type:${type}}`, { source, target, type }), type }
  )
  yield* failed(work, entry, new UsageError({ message: "invalid input" }))
})

const runRegistry = Effect.fnUntraced(function*(work: Work) {
  const { entry } = work.job
  const skips: Skips = { skipped: 0 }
  yield* Stream.runForEach(
    repositoriesOf(entry, skips),
    (name) => runRepository(work, { source: `${entry.source}/${name}`, target: `${entry.target}/${name}` })
  ).pipe(Effect.catch((error) => error._tag === "Aborted" ? Effect.fail(error) : failed(work, entry, error)))
  yield* tellSkipped(work, entry, `failed to list repositories for ${entry.source}`, skips)
})

/** Names that no reference can hold were left out: the rest was done, and the run failed (faults N38). */
const tellSkipped = (work: Work, ends: Ends, operation: string, skips: Skips) =>
  Effect.catch(checkSkipped(operation, skips), (error) => failed(work, ends, error))

/** Opens both ends. A check asks for no right to write. */
const openEnds = Effect.fnUntraced(function*({ options }: Work, source: Ref, target: Ref) {
  const { open } = yield* Repositories
  const from = yield* open(source.location)
  const to = yield* Effect.provideService(open(target.location), WillWrite, options.action !== "check")
  return { source, from, target, to }
})

const runRepository = Effect.fnUntraced(function*(work: Work, ends: Ends) {
  const { job: { entry, name }, options } = work
  const { publish } = yield* SyncEvents
  const skips: Skips = { skipped: 0 }
  const items = Effect.gen(function*() {
    const source = yield* parseRepository("source", ends.source)
    const target = yield* parseRepository("target", ends.target)
    // Open to the end: a layout is swept when all its tags are there.
    const places = yield* openEnds(work, source, target)
    const { digestTags, tags } = yield* tagsOf(entry, places, options.action, skips)
    yield* publish(SyncEvent.Listed({ job: name, pairs: tags.length }))
    return tags.map((tag): Item => ({
      ...places,
      source: tagged(source, tag),
      target: tagged(target, tag),
      ...(entry.switches.digestTags === true ? { digestTags } : {})
    }))
  })
  yield* Effect.matchEffect(items, {
    onFailure: (error) => failed(work, ends, error),
    onSuccess: (items) => runItems(work, items)
  })
  yield* tellSkipped(work, ends, `failed to list tags in ${ends.source}`, skips)
}, Effect.scoped)

const tagged = ({ location }: Ref, tag: Tag): Ref => ({ text: commonName({ location, tag }), location, tag })

/** One after the other, while the next ones are looked at already. */
const runItems = ({ ended, job, options }: Work, items: ReadonlyArray<Item>) =>
  Stream.fromIterable(items).pipe(
    Stream.mapEffect((item) => Effect.map(Effect.exit(look(item)), (looked) => ({ item, looked })), {
      concurrency: ahead
    }),
    Stream.runForEach(({ item, looked }) => Effect.flatMap(syncPair(job, item, options.action, looked), ended))
  )

const runImage = Effect.fnUntraced(function*(work: Work) {
  const { job, options } = work
  const { entry } = job
  const { publish } = yield* SyncEvents
  const item = Effect.gen(function*() {
    const source = yield* parseEnd("source", entry.source)
    const target = yield* parseEnd("target", entry.target)
    return yield* openEnds(work, source, target)
  })
  yield* publish(SyncEvent.Listed({ job: job.name, pairs: 1 }))
  yield* Effect.matchEffect(item, {
    onFailure: (error) => failed(work, entry, error),
    onSuccess: (item) => Effect.flatMap(syncPair(job, item, options.action, look(item)), work.ended)
  })
}, Effect.scoped)
