/** What a daemon has to know of scripts: how they are told apart, and what is remembered of a failure. */
import { hashHex } from "../../lib/hash.ts"
import { type ScriptExit, ScriptsFailed } from "../../schemas/ScriptError.ts"
import type { Problem } from "../daemon/attempts.ts"
import type { Summary } from "../daemon/failures.ts"
import { type Described, scheduleOf } from "../daemon/tended.ts"
import { named, type ScriptJob } from "./load.ts"

const describe = ({ entry, name, source }: ScriptJob): Described => ({
  name,
  source: "",
  target: "",
  type: "script",
  schedule: scheduleOf(entry),
  // A script in a file of its own is another one when the file changed.
  identity: JSON.stringify([{ ...entry, line: 0, column: 0, fileAt: 0 }, hashHex("sha256", source)]),
  task: name,
  fields: { name: entry.name },
  names: { name: entry.name },
  prefix: `${name}: `
})

/** What a run of a daemon fails with: what is to be remembered, or the status that a script ended the daemon with. */
type Failure = ScriptsFailed | ScriptExit

export const tending = {
  describe,
  timed: "run",
  problems: (error: Failure): ReadonlyArray<Problem> | undefined =>
    error._tag === "ScriptsFailed"
      ? error.messages.map((text) => ({ text, reason: error.reason?._tag ?? "ScriptsFailed" }))
      : undefined,
  interrupted: (job: ScriptJob): Problem => ({ text: named(job, "context canceled"), reason: "Canceled" }),
  failed: (summary: Summary): Failure => new ScriptsFailed(summary)
} as const
