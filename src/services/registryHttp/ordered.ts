/** Segments that come at once, handed on in order; each has a memory of its own until the last of it was released. */
import { Deferred, Effect } from "effect"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { Sink } from "../Bytes.ts"

const mebi = 1024 * 1024

/** Bytes of a segment. */
export const segmentSize = 8 * mebi

/** Bytes handed on and not released yet at which the reader is waited for, and of one view. */
const [mostOut, viewSize] = [2 * mebi, mebi]

export interface Segment {
  readonly from: number
  /** The byte behind it. */
  readonly end: number
  readonly buffer: Buffer
  filled: number
  emitted: number
  out: number
  /** Its memory can be used again. */
  readonly free: Deferred.Deferred<void>
}

export class Ordered {
  readonly #size: number
  readonly #emit: Sink
  readonly #ended: (exit: Effect.Effect<void, StoreError>) => void
  readonly #segments: Array<Segment> = []
  #out = 0
  #isBegun = false
  #isAdvancing = false
  /** Where the segment begins that is assigned next. */
  next = 0

  /** Everything up to `size` goes to `emit`, once it begins; then, or when `emit` throws, it ends. */
  constructor(size: number, emit: Sink, ended: (exit: Effect.Effect<void, StoreError>) => void) {
    this.#size = size
    this.#emit = emit
    this.#ended = ended
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0
  }

  /** Somebody is at work on each segment, or was. */
  get isAssigned(): boolean {
    return this.next >= this.#size
  }

  assign(buffer: Buffer): Segment {
    const [from, end] = [this.next, Math.min(this.next + segmentSize, this.#size)]
    const segment: Segment = { from, end, buffer, filled: 0, emitted: 0, out: 0, free: Deferred.makeUnsafe<void>() }
    this.next = end
    this.#segments.push(segment)
    return segment
  }

  /** False when there is more than belongs to the segment. */
  fill(segment: Segment, view: Uint8Array): boolean {
    if (segment.filled + view.length > segment.end - segment.from) return false
    segment.buffer.set(view, segment.filled)
    segment.filled += view.length
    return true
  }

  isFilled({ end, filled, from }: Segment): boolean {
    return filled === end - from
  }

  /** The first segment is what comes next. */
  begin(): void {
    this.#isBegun = true
    this.advance()
  }

  /** Nothing is handed on from now on: the reader may be gone, or be given the rest by another. */
  stop(): void {
    this.#isBegun = false
  }

  /** Hands on what is there, as fast as it is taken. */
  advance(): void {
    if (this.#isAdvancing || !this.#isBegun) return
    this.#isAdvancing = true
    try {
      for (let head = this.#segments[0]; head !== undefined; head = this.#segments[0]) {
        while (head.emitted < head.filled && this.#out < mostOut) this.#handOn(head)
        if (head.emitted < head.end - head.from) return
        this.#segments.shift()
      }
      if (this.isAssigned) this.#ended(Effect.void)
    } catch (error) {
      // A sink throws nothing but `StoreError`; who owns the sink has noted it.
      this.stop()
      this.#ended(Effect.fail(error as StoreError))
    } finally {
      this.#isAdvancing = false
    }
  }

  #handOn(head: Segment): void {
    const view = head.buffer.subarray(head.emitted, Math.min(head.filled, head.emitted + viewSize))
    head.emitted += view.length
    head.out += view.length
    this.#out += view.length
    let isOut = true
    this.#emit(view, () => {
      if (!isOut) return
      isOut = false
      head.out -= view.length
      this.#out -= view.length
      if (head.emitted === head.end - head.from && head.out === 0) Deferred.doneUnsafe(head.free, Effect.void)
      this.advance()
    })
  }
}
