/** Entries in a daemon's care: what makes one the same after the configuration was read again, and when it is due. */
import { Semaphore } from "effect"
import { formatGoDuration } from "../../lib/goDuration.ts"
import { parseTimetable, type Timetable } from "../../lib/timetable.ts"
import type { SyncEntry } from "../../schemas/RegsyncConfig.ts"
import type { Action, Job } from "../../schemas/Sync.ts"

export interface Tended {
  /** A name may change with the entry's place in the file. */
  job: Job
  /** The entry's settings as text. */
  readonly identity: string
  /** Of cron, or made of the interval; empty for an entry that is ignored. */
  readonly schedule: string
  readonly timetable: Timetable | undefined
  readonly problem: string | undefined
  /** Held by its one run; handed on to the entry that takes its place. */
  readonly turn: Semaphore.Semaphore
  /** No longer in the configuration: a run at work ends, none begins. */
  isGone: boolean
  /** Milliseconds since 1970. */
  next?: number | undefined
  running?: { readonly name: string; readonly action: Action; readonly since: number } | undefined
}

/** Where it stands in the file is no setting. */
const identityOf = (entry: SyncEntry): string => JSON.stringify({ ...entry, line: 0, column: 0 })

/** What is copied where, however and whenever. */
const taskOf = ({ entry: { source, target, type } }: Job): string => JSON.stringify([type, source, target])

const scheduleOf = ({ interval, schedule }: SyncEntry): string =>
  schedule !== "" ? schedule : interval > 0 ? `@every ${formatGoDuration(interval)}` : ""

const tend = (job: Job, identity: string, turn: Semaphore.Semaphore): Tended => {
  const schedule = scheduleOf(job.entry)
  const parsed = schedule === "" ? undefined : parseTimetable(schedule)
  return {
    job,
    identity,
    schedule,
    timetable: parsed !== undefined && "timetable" in parsed ? parsed.timetable : undefined,
    problem: parsed !== undefined && "problem" in parsed ? parsed.problem : undefined,
    turn,
    isGone: false
  }
}

/** Goes over from the entries in care to those of a new configuration; each list in the order of its file. */
export const sift = (
  before: ReadonlyArray<Tended>,
  jobs: ReadonlyArray<Job>
): {
  readonly now: ReadonlyArray<Tended>
  readonly added: ReadonlyArray<Tended>
  readonly gone: ReadonlyArray<Tended>
} => {
  const free = Map.groupBy(before, ({ identity }) => identity)
  const matched = jobs.map((job) => {
    const identity = identityOf(job.entry)
    return { job, identity, same: free.get(identity)?.shift() }
  })
  const stays = new Set(matched.map(({ same }) => same))
  const gone = before.filter((it) => !stays.has(it))
  const left = Map.groupBy(gone, ({ job }) => taskOf(job))
  const added: Array<Tended> = []
  const now = matched.map(({ identity, job, same }) => {
    if (same !== undefined) {
      same.job = job
      return same
    }
    const fresh = tend(job, identity, left.get(taskOf(job))?.shift()?.turn ?? Semaphore.makeUnsafe(1))
    added.push(fresh)
    return fresh
  })
  return { now, added, gone }
}

/** How the log names an entry. */
export const fieldsOf = ({ job: { entry: { source, target, type } } }: Tended) => ({ source, target, type })
