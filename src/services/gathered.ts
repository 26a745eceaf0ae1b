/** Bytes in pieces of one size, however they come: what works on them does so alike each time, and not on crumbs. */
import { Effect } from "effect"
import type { StoreError } from "../schemas/StoreError.ts"
import { attempt, type Pump, type Sink } from "./Bytes.ts"

interface Waiting {
  readonly view: Uint8Array
  readonly release: () => void
  at: number
}

/** Fills two buffers in turn; what does not fit waits until one comes back. */
class Gatherer {
  private readonly sink: Sink
  private readonly size: number
  private readonly spare: Array<Uint8Array>
  private readonly waiting: Array<Waiting> = []
  private current: Uint8Array | undefined
  private filled = 0
  private failure: StoreError | undefined
  private drained: (() => void) | undefined

  constructor(sink: Sink, size: number) {
    this.sink = sink
    this.size = size
    this.spare = [new Uint8Array(size), new Uint8Array(size)]
  }

  readonly take: Sink = (view, release) => {
    if (this.failure !== undefined) throw this.failure
    this.waiting.push({ view, release, at: 0 })
    this.advance()
  }

  private advance(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      this.current ??= this.spare.pop()
      if (this.current === undefined) return
      const part = next.view.subarray(next.at, next.at + this.size - this.filled)
      this.current.set(part, this.filled)
      this.filled += part.length
      next.at += part.length
      if (next.at === next.view.length) {
        this.waiting.shift()
        next.release()
      }
      if (this.filled === this.size) this.flush()
    }
    this.drained?.()
  }

  private flush(): void {
    const { current, filled } = this
    if (current === undefined || filled === 0) return
    this.current = undefined
    this.filled = 0
    this.sink(current.subarray(0, filled), () => {
      this.spare.push(current)
      attempt(() => this.advance(), (error) => this.fail(error))
    })
  }

  /** Nothing waits any more, so that the next view, or the end, tells the failure. */
  private fail(error: StoreError): void {
    this.failure = error
    for (const { release } of this.waiting.splice(0)) release()
    this.drained?.()
  }

  /** Hands over what is left. */
  readonly end: Effect.Effect<void, StoreError> = Effect.callback((resume) => {
    this.drained = () => {
      this.drained = undefined
      attempt(() => {
        if (this.failure !== undefined) throw this.failure
        this.flush()
        resume(Effect.void)
      }, (error) => resume(Effect.fail(error)))
    }
    if (this.waiting.length === 0) this.drained()
  })
}

/** The same bytes in pieces of `size` bytes, the last one shorter. */
export const gathered = (pump: Pump, size: number): Pump => (sink) =>
  Effect.suspend(() => {
    const gatherer = new Gatherer(sink, size)
    return Effect.andThen(pump(gatherer.take), gatherer.end)
  })
