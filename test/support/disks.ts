/** Directories on a disk that gets full, for a tool that is told so by `fullDisk.mjs`: no rights are needed for it. */
import { realpathSync } from "node:fs"
import { join } from "node:path"

export interface Full {
  /** It and what is below it has no room. */
  readonly dir: string
  /** How many calls still find some, or the first call that does not, such as `rename index.json`. */
  readonly from: number | string
  /** Whether the next call finds room again. */
  readonly only?: boolean
  /** Gets a line for each call that needed room. */
  readonly log?: string
}

/** What a tool's environment says of it. */
export const fullDisk = ({ dir, from, log, only = false }: Full): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import ${join(import.meta.dirname, "fullDisk.mjs")}`,
  FULL_DISK: JSON.stringify({
    dir: realpathSync(dir),
    log,
    only,
    ...(typeof from === "number" ? { after: from } : { when: from })
  })
})
