/** Tables of faults: how a row is written, met and judged. */
import { assert } from "@effect/vitest"
import { holds, type Hosts, isClear, withLogin, type World } from "./copies.ts"
import type { Ran } from "./programs.ts"
import type { Answer, Asked, Quirk, Reply } from "./quirky.ts"

export type Match = (asked: Asked) => boolean

export const is = (method: string, path: RegExp): Match => (asked) => asked.method === method && path.test(asked.target)
/** How often a fault was met. */
let met = 0

/** The first so many that match are answered otherwise. */
export const first = (
  count: number,
  match: Match,
  reply: Reply | ((asked: Asked, proper: () => Answer) => Reply)
): Quirk => {
  let left = count
  return (asked, proper) => {
    if (!match(asked) || left-- <= 0) return undefined
    met++
    return typeof reply === "function" ? reply(asked, proper) : reply
  }
}
export const always = (match: Match, reply: Parameters<typeof first>[2]) => first(Infinity, match, reply)
export const both = (...quirks: ReadonlyArray<Quirk>): Quirk => (asked, proper) => {
  for (const quirk of quirks) {
    const reply = quirk(asked, proper)
    if (reply !== undefined) return reply
  }
  return undefined
}

export const cutAt =
  (after: (size: number) => number, how: "reset" | "end" | "silence") => (_: Asked, proper: () => Answer): Answer => {
    const answer = proper()
    return { ...answer, cut: { after: after(Buffer.from(answer.body ?? "").length), how } }
  }
/** Announces less than it should, so that the end looks clean. */
export const short = (_: Asked, proper: () => Answer): Answer => {
  const answer = proper()
  const body = Buffer.from(answer.body ?? "").subarray(0, -1)
  return { ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body }
}
export const changed = (_: Asked, proper: () => Answer): Answer => {
  const answer = proper()
  const body = Buffer.from(answer.body ?? "")
  body[body.length - 1] = 255 - (body[body.length - 1] ?? 0)
  return { ...answer, body }
}
/** The server does what is asked, but nobody hears of it. */
export const unheard = (_: Asked, proper: () => Answer): Reply => {
  proper()
  return "drop"
}
export interface Row {
  readonly ids: string
  readonly what: string
  readonly source?: () => Quirk
  readonly target?: () => Quirk
  readonly store?: () => Quirk
  readonly cutBody?: (method: string, path: string, nth: number) => number | undefined
  readonly hosts?: () => Hosts
  readonly args?: () => ReadonlyArray<string>
  /** The quirks log in by themselves. */
  readonly hasOwnLogin?: boolean
  /** It fails whatever the network does. */
  readonly isForGood?: boolean
  /** What the message says; without, the copy has to succeed. */
  readonly fails?: RegExp
  /** The reason told to machines, where it is not that of the first id. */
  readonly reason?: string
  /** The registry did what it then denied: the tag may be new. */
  readonly isDone?: boolean
  /** Requests at both registries, at most. */
  readonly most?: number
  readonly check?: (ran: Ran) => void
}

/** The last column of the contract of faults. */
const reasons: Readonly<Record<string, string>> = {
  N05: "ConnectionLost",
  N06: "ConnectionLost",
  N07: "SizeMismatch",
  N08: "Timeout",
  N09: "Timeout",
  N11: "HttpStatus",
  N12: "RateLimited",
  N13: "RateLimited",
  N14: "RateLimited",
  N15: "Unauthorized",
  N16: "Unauthorized",
  N17: "Forbidden",
  N18: "NotFound",
  N19: "Unauthorized",
  N21: "TooManyRedirects",
  N22: "RedirectRefused",
  N26: "RedirectRefused",
  N27: "Unauthorized",
  N28: "UploadRejected",
  N29: "UploadLost",
  N30: "UploadLost",
  N31: "RedirectRefused",
  N32: "Unauthorized",
  N33: "DigestMismatch",
  N34: "HttpStatus",
  N35: "ProtocolError",
  N36: "ProtocolError",
  N42: "ManifestInvalid",
  C01: "DigestMismatch",
  C03: "DigestMismatch",
  C13: "NotFound",
  quirks: "HttpStatus"
}

/** What a copy takes without faults, login included. */
export const usual = 34

const copy = (here: World, row: Row) =>
  here.run(
    [
      ...(row.args?.() ?? ["image", "copy", `${here.source.host}/app:v1`, `${here.target.host}/app:v1`]),
      "--logopt",
      "json"
    ],
    row.hosts?.()
  )

/** The record before the text: its level, its reason, and the same text. */
const recorded = ({ err }: Ran, reason: string | undefined): void => {
  const lines = err.trimEnd().split("\n")
  const record = JSON.parse(lines.findLast((it) => it.startsWith("{\"time\"")) ?? "{}")
  assert.deepStrictEqual([record.level, record.reason], ["ERROR", reason], err)
  assert.include(err, `\n${record.msg}`)
}

/** Runs a copy that meets the row's fault, and again without it where that stopped it. */
export const judge = async (here: World, row: Row): Promise<void> => {
  const guarded = row.hasOwnLogin === true ? (quirk: Quirk = () => undefined) => quirk : withLogin
  here.source.quirk = guarded(row.source?.())
  here.target.quirk = guarded(row.target?.())
  here.store.quirk = row.store?.() ?? (() => undefined)
  if (row.cutBody !== undefined) here.target.cutBody = row.cutBody
  met = 0
  const ran = await copy(here, row)
  const lines = [...here.source.lines(), ...here.target.lines()]
  const story = `${ran.err}\n${lines.join("\n")}`
  if (row.fails === undefined) assert.strictEqual(ran.code, 0, story)
  else {
    assert.strictEqual(ran.code, 1, story)
    assert.match(ran.err, row.fails)
    recorded(ran, row.reason ?? reasons[row.ids.split(" ")[0] ?? ""])
    isClear(ran.err)
    assert.strictEqual(ran.out, "")
  }
  if (/\b(?:first|always)\(/.test(String([row.source, row.target, row.store]))) assert.isAbove(met, 0, story)
  holds(here, row.fails === undefined)
  if (row.fails !== undefined && row.isDone !== true)
    assert.strictEqual(here.target.repository("app").tags.get("v1"), here.old.index)
  assert.isAtMost(lines.length, row.most ?? usual, story)
  row.check?.(ran)
  if (row.fails === undefined || row.isForGood === true) return
  // Once the cause is gone, the same command succeeds and reuses what is there (D7).
  here.source.quirk = withLogin()
  here.target.quirk = withLogin()
  here.target.cutBody = () => undefined
  const again = await copy(here, row)
  assert.strictEqual(again.code, 0, again.err)
  holds(here, true)
}
