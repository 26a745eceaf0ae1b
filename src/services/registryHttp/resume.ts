/** A body that continues by `Range` after it broke off, so that its reader sees each byte once (faults, retries; N06–N09). */
import { Effect } from "effect"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Pump, Sink } from "../Bytes.ts"
import { attemptsPerHost, backoff } from "./backoff.ts"
import { contentRange, noRange, type Opened, positionOf } from "./opened.ts"
import { handedOver, leastRest, makeRanges, type Ranged, takesRanges } from "./ranges.ts"

export interface Wanted {
  readonly from: number
  /** Where it ends, in bytes from the beginning of the resource. */
  readonly size: number
  /** Only a part was asked for: more than it is not handed on. */
  readonly isPart: boolean
}

/** Bytes an attempt has to bring to count as none. */
const progress = 1024 * 1024

/** `reopen` asks for the rest from a position on, or with 0 for everything; `ranged` for parts at once, on a slow link. */
export const resuming = (
  first: Opened,
  wanted: Wanted,
  reopen: (from: number) => Effect.Effect<Opened, StoreError>,
  ranged?: Ranged
): Pump =>
(sink) =>
  Effect.scoped(Effect.gen(function*() {
    const total = wanted.isPart ? contentRange(first.headers)?.total : wanted.size
    const copy = makeCopy(wanted, sink)
    const isRanged = ranged !== undefined && wanted.size - wanted.from >= leastRest && takesRanges(first)
    const ranges = isRanged
      ? yield* makeRanges(first, { at: copy.at, size: wanted.size, total: total ?? -1 }, ranged, copy.append)
      : undefined
    const sinkAt = (position: number): Sink =>
      ranges === undefined ? copy.from(position) : ranges.watched(copy.from(position, ranges.limit))
    let [opened, position]: [Opened | undefined, number] = [first, first.status === 200 ? 0 : wanted.from]
    let failures = 0
    let isRangeRefused = false
    while (true) {
      const before = copy.at()
      let ended = opened === undefined ? noRange : yield* take(opened, sinkAt(position))
      if (opened !== undefined && ended === handedOver && ranges !== undefined) {
        yield* opened.close
        if (yield* Effect.isSuccess(ranges.rest)) return // One stream goes on; what is wrong there is told.
        ;[ended, opened] = [noRange, undefined]
      }
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
  }))

const take = (opened: Opened, sink: Parameters<Pump>[0]): Effect.Effect<StoreError | undefined> =>
  Effect.match(opened.body(sink), { onFailure: (error) => error, onSuccess: () => undefined })

/** Hands on what is new of each view; what the sink throws is told apart from a body that breaks. */
const makeCopy = ({ from, isPart, size }: Wanted, sink: Sink) => {
  let at = from
  let failure: StoreError | undefined
  const append: Sink = (fresh, release) => {
    at += fresh.length
    try {
      sink(fresh, release)
    } catch (error) {
      // A sink throws nothing but `StoreError`; anything else is a bug and goes on as one.
      failure = error as StoreError
      throw error
    }
  }
  return {
    at: () => at,
    failure: () => failure,
    /** What comes next. */
    append,
    /** A body that begins at a position; it ends with `handedOver` at the limit, where there is one. */
    from: (position: number, limit: () => number | undefined = () => undefined): Sink => {
      let skip = at - position
      return (view, release) => {
        const most = limit()
        const last = Math.min(isPart ? size : Infinity, most ?? Infinity)
        const fresh = view.subarray(Math.min(skip, view.length), Math.max(Math.min(view.length, skip + last - at), 0))
        skip = Math.max(0, skip - view.length)
        if (fresh.length === 0) release()
        else append(fresh, release)
        if (most !== undefined && at >= most) throw handedOver
      }
    }
  }
}

const isBreak = ({ reason }: StoreError): boolean =>
  ["ConnectionLost", "Timeout", "SizeMismatch", "ProtocolError"].includes(reason._tag)

const shortRead = ({ from, size }: Wanted, at: number): StoreError =>
  storeError("", "SizeMismatch", `short read [expected ${size - from}, received ${at - from}]: EOF`)
