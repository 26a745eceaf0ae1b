/**
 * How many requests a host gets at once: more while that does not slow its answers down, half when it says that it is
 * too much or loses connections. Nobody is ever allowed more than its owner configured.
 */

/** A round whose answers take that many times as long as those of the fastest one has found the host's limit. */
const slower = 2
/** Milliseconds by which answers may differ all the same. */
const jitter = 5

export class Window {
  private readonly most: number
  private current: number
  private fastest = Number.POSITIVE_INFINITY
  private answers = 0
  private milliseconds = 0
  private wasFull = false
  /** Requests that were on their way when it was halved: what becomes of them says nothing of half as many. */
  private pardoned = 0

  constructor(start: number, most: number) {
    this.current = start
    this.most = most
  }

  get size(): number {
    return this.current
  }

  /** An answer that took so many milliseconds; whether somebody waits for a place. */
  answered(milliseconds: number, isFull: boolean): void {
    this.pardoned = Math.max(0, this.pardoned - 1)
    this.answers++
    this.milliseconds += milliseconds
    this.wasFull ||= isFull
    if (this.answers < this.current) return
    const mean = this.milliseconds / this.answers
    this.fastest = Math.min(this.fastest, mean)
    if (this.wasFull && mean <= slower * this.fastest + jitter) this.grow()
    this.again()
  }

  /** One more, if that is allowed. */
  grow(): void {
    this.current = Math.min(this.most, this.current + 1)
  }

  /** The host has too much to do. */
  overloaded(): void {
    if (this.pardoned > 0) {
      this.pardoned--
      return
    }
    this.pardoned = this.current - 1
    this.current = Math.max(1, Math.floor(this.current / 2))
    this.again()
  }

  private again(): void {
    ;[this.answers, this.milliseconds, this.wasFull] = [0, 0, false]
  }
}

/** Bytes a second of one stream above which more streams share what there is. */
const fast = 20 * 1024 * 1024
/** One more stream left each of the others that much of its rate. */
const kept = 0.85

/** A window of streams of bytes: more of them where each is held up by its own connection. */
export class StreamWindow extends Window {
  private rate = 0

  /** A stream that ended well; whether others wait for its place. */
  streamed(bytes: number, milliseconds: number, isFull: boolean): void {
    const rate = bytes * 1000 / Math.max(1, milliseconds)
    if (!isFull || rate > fast) return
    if (rate >= kept * this.rate) this.grow()
    this.rate = rate
  }
}
