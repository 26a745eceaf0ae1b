/** How regsync's values look in its log: records as Go prints them, in JSON by their keys in the file. */
import { formatGoDuration } from "../../lib/goDuration.ts"
import { Shown } from "../../lib/slog.ts"
import type { TagFilter } from "../../schemas/RegsyncConfig.ts"

const list = (items: ReadonlyArray<string>): string => `[${items.join(" ")}]`

export const loggedFilter = ({ allow, deny, semverRange }: TagFilter): Shown =>
  new Shown(
    `{Allow:${list(allow)} Deny:${list(deny)} SemverRange:${list(semverRange)}}`,
    { allow, deny, ...(semverRange.length === 0 ? {} : { semverRange }) }
  )

/** Milliseconds: `15m0s`, in JSON nanoseconds. */
export const loggedDuration = (milliseconds: number): Shown =>
  new Shown(formatGoDuration(milliseconds), Math.round(milliseconds * 1e6))
