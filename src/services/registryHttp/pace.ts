/** How fast a body comes by itself: the time in which its reader held it back does not count. */
import type { Clock } from "effect"
import type { Sink } from "../Bytes.ts"

export interface Pace {
  /** The same sink, watched. While it keeps a view, it is the reader that is waited for. `marked` is called after every so many bytes, with the bytes a second so far. */
  readonly watch: (sink: Sink, marked: (bytesPerSecond: number) => void) => Sink
}

/** Counts from the first byte on, over all the bodies that go through it. */
export const makePace = (clock: Clock.Clock, every: number): Pace => {
  let start: bigint | undefined
  let waited = 0n
  let waiting: bigint | undefined
  let received = 0
  let next = every
  let out = 0
  const now = () => clock.monotonicTimeNanosUnsafe()
  const rate = (at: bigint, since: bigint): number => {
    const taken = at - since - waited - (waiting === undefined ? 0n : at - waiting)
    return received / (Number(taken > 0n ? taken : 1n) / 1e9)
  }
  return {
    watch: (sink, marked) => (view, release) => {
      const size = view.length
      start ??= now()
      received += size
      out += size
      let isOut = true
      sink(view, () => {
        if (isOut) out -= size
        isOut = false
        if (out === 0 && waiting !== undefined) {
          waited += now() - waiting
          waiting = undefined
        }
        release()
      })
      if (out > 0) waiting ??= now()
      if (received < next) return
      next = received + every
      marked(rate(now(), start))
    }
  }
}
