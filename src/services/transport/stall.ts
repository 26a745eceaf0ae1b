/**
 * The stall rule (faults, time): an open body that moves less than 10 KiB in `limit` milliseconds is given up. Time in
 * which the other side has nothing to do, because we hold it up, does not count. Touches the platform: its timers,
 * which are monotonic.
 */

const slices = 6
const least = 10 * 1024

export interface Watched {
  /** Bytes moved so far. */
  readonly moved: () => number
  /** Whether it is the other side's turn. */
  readonly isWaiting: () => boolean
  readonly stalled: () => void
}

/** Starts watching; the answer ends it. A limit of 0 watches nothing. */
export const watchStall = (limit: number, { isWaiting, moved, stalled }: Watched): () => void => {
  if (limit <= 0) return () => {}
  let marks = [moved()]
  const timer = setInterval(() => {
    if (!isWaiting()) {
      marks = [moved()]
      return
    }
    marks.push(moved())
    if (marks.length <= slices) return
    const [before = 0] = marks.splice(0, 1)
    if (moved() - before < least) {
      clearInterval(timer)
      stalled()
    }
  }, Math.max(1, limit / slices))
  return () => clearInterval(timer)
}

/** Bytes libuv still holds: a number Node keeps for its own socket timeouts and does not declare. */
export const queuedBytes = (socket: object): number => {
  const handle: unknown = Reflect.get(socket, "_handle")
  const size: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : 0
  return typeof size === "number" ? size : 0
}
