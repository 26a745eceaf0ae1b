/** The bytes of a tar archive read forward, as far as they are asked for. */
import { type Cause, Effect, Pull, Queue } from "effect"
import { type StoreError, storeError } from "../schemas/StoreError.ts"
import type { Lent } from "./Bytes.ts"

export const tarInvalid = (detail: string): StoreError => storeError("", "TarInvalid", `tar is invalid: ${detail}`)

export const cut = tarInvalid("it ends in the middle")

/** Bytes read forward: views come as they are lent, and go back once used up. */
export class Reader {
  position = 0
  private current: Lent | undefined
  private at = 0
  private readonly queue: Queue.Dequeue<Lent, StoreError | Cause.Done>

  constructor(queue: Queue.Dequeue<Lent, StoreError | Cause.Done>) {
    this.queue = queue
  }

  /** The bytes at hand, at most so many, at least one; none at the end. */
  readonly some = (limit: number): Effect.Effect<Uint8Array | undefined, StoreError> =>
    Effect.suspend(() => {
      const { current } = this
      if (current === undefined) {
        return Queue.take(this.queue).pipe(
          Effect.flatMap((lent) => {
            this.current = lent
            this.at = 0
            return this.some(limit)
          }),
          Pull.catchDone(() => Effect.succeed(undefined))
        )
      }
      if (this.at === current.view.length) {
        this.current = undefined
        current.release()
        return this.some(limit)
      }
      const view = current.view.subarray(this.at, this.at + limit)
      this.at += view.length
      this.position += view.length
      return Effect.succeed(view)
    })

  /** Exactly so many bytes, fewer at the end. */
  readonly exactly = (size: number): Effect.Effect<Uint8Array, StoreError> =>
    Effect.flatMap(this.some(size), (first) => {
      if (first === undefined || first.length === size) return Effect.succeed(first ?? new Uint8Array())
      // The view goes back with the next one.
      const parts = [new Uint8Array(first)]
      const rest = (missing: number): Effect.Effect<Uint8Array, StoreError> =>
        Effect.flatMap(this.some(missing), (part) => {
          if (part === undefined) return Effect.succeed(Buffer.concat(parts))
          parts.push(new Uint8Array(part))
          return part.length === missing ? Effect.succeed(Buffer.concat(parts)) : rest(missing - part.length)
        })
      return rest(size - first.length)
    })

  /** Passes so many bytes over. Fails when there are fewer. */
  readonly skip = (size: number): Effect.Effect<void, StoreError> =>
    size === 0
      ? Effect.void
      : Effect.flatMap(
        this.some(size),
        (part) => part === undefined ? Effect.fail(cut) : this.skip(size - part.length)
      )

  /** Reads to the end, whatever comes. */
  readonly drain: Effect.Effect<void, StoreError> = Effect.suspend(() =>
    Effect.flatMap(this.some(Number.MAX_SAFE_INTEGER), (part) => part === undefined ? Effect.void : this.drain)
  )
}
