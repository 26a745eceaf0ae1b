/** What a daemon has to know of entries: how they are told apart, what is done when, and what is remembered of a failure. */
import { type Job, SyncFailed } from "../../schemas/Sync.ts"
import type { Problem } from "../daemon/attempts.ts"
import type { Summary } from "../daemon/failures.ts"
import { type Described, scheduleOf } from "../daemon/tended.ts"

const describe = ({ entry, name }: Job): Described => {
  const { source, target, type } = entry
  return {
    name,
    source,
    target,
    type,
    schedule: scheduleOf(entry),
    identity: JSON.stringify({ ...entry, line: 0, column: 0 }),
    task: JSON.stringify([type, source, target]),
    fields: { source, target, type },
    names: { source, target }
  }
}

export const tending = {
  describe,
  first: "missing",
  timed: "copy",
  problems: ({ messages, reason }: SyncFailed): ReadonlyArray<Problem> =>
    messages.map((text) => ({ text, reason: reason?._tag ?? "SyncFailed" })),
  failed: (summary: Summary) => new SyncFailed(summary)
} as const
