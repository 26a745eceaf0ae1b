/** A body that continues by `Range` after it broke off, so that its reader sees each byte once (faults, retries; N06–N09). */
import { Effect } from "effect"
import type { Headers } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Pump } from "../Bytes.ts"
import { attemptsPerHost, backoff } from "./backoff.ts"

/** An answer, and how to give it up. */
export interface Opened {
  readonly status: number
  readonly headers: Headers
  readonly body: Pump
  /** Tells a mirror from the host itself: others are asked for the rest. */
  readonly reject?: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

export interface Wanted {
  readonly from: number
  /** Where it ends, in bytes from the beginning of the resource. */
  readonly size: number
  /** Only a part was asked for: more than it is not handed on. */
  readonly isPart: boolean
}

/** Bytes an attempt has to bring to count as none. */
const progress = 1024 * 1024

/** `bytes 5-9/10` of an answer; the total is none for `*`. */
export const contentRange = (
  headers: Headers
): { readonly start: number; readonly total: number | undefined } | undefined => {
  const parts = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers["content-range"]?.[0]?.trim() ?? "")
  return parts === null
    ? undefined
    : { start: Number(parts[1]), total: parts[3] === "*" ? undefined : Number(parts[3]) }
}

/** Where the body of an answer begins; none when it is not what was asked for. */
export const positionOf = (
  { headers, status }: Pick<Opened, "status" | "headers">,
  from: number,
  total: number | undefined
): number | undefined => {
  if (status === 200) return 0
  const range = status === 206 ? contentRange(headers) : undefined
  if (range === undefined || range.start !== from) return undefined
  return total === undefined || range.total === undefined || range.total === total ? from : undefined
}

export const noRange = storeError("", "ProtocolError", "range request not supported by server")

/** `reopen` asks for the rest from a position on, or with 0 for everything. */
export const resuming = (
  first: Opened,
  wanted: Wanted,
  reopen: (from: number) => Effect.Effect<Opened, StoreError>
): Pump =>
(sink) =>
  Effect.gen(function*() {
    const total = wanted.isPart ? contentRange(first.headers)?.total : wanted.size
    const copy = makeCopy(wanted, sink)
    let [opened, position]: [Opened | undefined, number] = [first, first.status === 200 ? 0 : wanted.from]
    let failures = 0
    let isRangeRefused = false
    while (true) {
      const before = copy.at()
      const ended = opened === undefined ? noRange : yield* take(opened, copy.from(position))
      if (copy.failure() !== undefined) return yield* copy.failure() ?? noRange
      if (ended !== undefined && !isBreak(ended)) return yield* ended
      // All of it came: its digest decides, not how the connection ended.
      if (copy.at() >= wanted.size && opened !== undefined) return
      const error: StoreError = ended ?? shortRead(wanted, copy.at())
      failures = copy.at() - before >= progress ? 0 : failures + 1
      if (failures >= attemptsPerHost) return yield* error
      if (opened !== undefined) yield* Effect.andThen(opened.close, opened.reject ?? Effect.void)
      yield* Effect.sleep(yield* backoff(Math.max(failures, 1)))
      const from = isRangeRefused ? 0 : copy.at()
      // Nothing is left to read at the position: the content is shorter than it should be.
      const next: Opened = yield* Effect.mapError(reopen(from), (it) => it.reason.status === 416 ? error : it)
      const found = positionOf(next, from, total)
      isRangeRefused = found === undefined
      if (found === undefined) yield* next.close
      ;[opened, position] = found === undefined ? [undefined, 0] : [next, found]
    }
  })

const take = (opened: Opened, sink: Parameters<Pump>[0]): Effect.Effect<StoreError | undefined> =>
  Effect.match(opened.body(sink), { onFailure: (error) => error, onSuccess: () => undefined })

/** Hands on what is new of each view; what the sink throws is told apart from a body that breaks. */
const makeCopy = ({ from, isPart, size }: Wanted, sink: Parameters<Pump>[0]) => {
  let at = from
  let failure: StoreError | undefined
  return {
    at: () => at,
    failure: () => failure,
    from: (position: number): Parameters<Pump>[0] => {
      let skip = at - position
      return (view, release) => {
        const end = isPart ? Math.min(view.length, skip + size - at) : view.length
        const fresh = view.subarray(Math.min(skip, view.length), Math.max(end, 0))
        skip = Math.max(0, skip - view.length)
        if (fresh.length === 0) return release()
        at += fresh.length
        try {
          sink(fresh, release)
        } catch (error) {
          // A sink throws nothing but `StoreError`; anything else is a bug and goes on as one.
          failure = error as StoreError
          throw error
        }
      }
    }
  }
}

const isBreak = ({ reason }: StoreError): boolean =>
  ["ConnectionLost", "Timeout", "SizeMismatch", "ProtocolError"].includes(reason._tag)

const shortRead = ({ from, size }: Wanted, at: number): StoreError =>
  storeError("", "SizeMismatch", `short read [expected ${size - from}, received ${at - from}]: EOF`)
