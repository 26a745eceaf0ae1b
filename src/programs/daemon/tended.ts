/** Entries in a daemon's care: what makes one the same after the configuration was read again, and when it is due. */
import { Semaphore } from "effect"
import { formatGoDuration } from "../../lib/goDuration.ts"
import { parseTimetable, type Timetable } from "../../lib/timetable.ts"
import type { Task, Watched } from "../../schemas/Sync.ts"

type Fields = Readonly<Record<string, string>>

/** What a daemon has to know of a job. */
export interface Described extends Watched {
  /** All of its settings as text; where it stands in the file is none. */
  readonly identity: string
  /** What is done, however and whenever: no two jobs of one task are at work at once. */
  readonly task: string
  /** How the log names it, and in short where more is said. */
  readonly fields: Fields
  readonly names: Fields
  /** Stands in front of what is wrong with its schedule when the daemon ends, where nothing else would name it. */
  readonly prefix?: string
}

export interface Tended<J = unknown> {
  /** A name may change with the entry's place in the file. */
  job: J
  about: Described
  readonly timetable: Timetable | undefined
  /** What is wrong with its schedule. */
  readonly problem: string | undefined
  /** Held by its one run; handed on to the entry that takes its place. */
  readonly turn: Semaphore.Semaphore
  /** No longer in the configuration: a run at work ends, none begins. */
  isGone: boolean
  /** Milliseconds since 1970. */
  next?: number | undefined
  running?: { readonly name: string; readonly action: Task; readonly since: number } | undefined
}

/** The schedule of an entry that has one, or was given an interval in milliseconds; empty for one that has neither. */
export const scheduleOf = (
  { interval, schedule }: { readonly interval: number; readonly schedule: string }
): string => schedule !== "" ? schedule : interval > 0 ? `@every ${formatGoDuration(interval)}` : ""

const tend = <J>(job: J, about: Described, turn: Semaphore.Semaphore): Tended<J> => {
  const parsed = about.schedule === "" ? undefined : parseTimetable(about.schedule)
  return {
    job,
    about,
    timetable: parsed !== undefined && "timetable" in parsed ? parsed.timetable : undefined,
    problem: parsed !== undefined && "problem" in parsed ? parsed.problem : undefined,
    turn,
    isGone: false
  }
}

/** Goes over from the entries in care to those of a new configuration; each list in the order of its file. */
export const sift = <J>(
  before: ReadonlyArray<Tended<J>>,
  jobs: ReadonlyArray<J>,
  describe: (job: J) => Described
): {
  readonly now: ReadonlyArray<Tended<J>>
  readonly added: ReadonlyArray<Tended<J>>
  readonly gone: ReadonlyArray<Tended<J>>
} => {
  const free = Map.groupBy(before, ({ about }) => about.identity)
  const matched = jobs.map((job) => {
    const about = describe(job)
    return { job, about, same: free.get(about.identity)?.shift() }
  })
  const stays = new Set(matched.map(({ same }) => same))
  const gone = before.filter((it) => !stays.has(it))
  const left = Map.groupBy(gone, ({ about }) => about.task)
  const added: Array<Tended<J>> = []
  const now = matched.map(({ about, job, same }) => {
    if (same !== undefined) {
      same.job = job
      same.about = about
      return same
    }
    const fresh = tend(job, about, left.get(about.task)?.shift()?.turn ?? Semaphore.makeUnsafe(1))
    added.push(fresh)
    return fresh
  })
  return { now, added, gone }
}
