/** Content cut into pieces for a chunked upload: at most one piece is in memory, and its source waits meanwhile. */
import { Effect, Exit } from "effect"
import type { Scope } from "effect"
import type { StoreError } from "../../schemas/StoreError.ts"
import { attempt, type Pump } from "../Bytes.ts"

export interface Chunks {
  /** The next `size` bytes, fewer at the end, none after it. */
  readonly next: (size: number) => Effect.Effect<Uint8Array, StoreError>
}

/** Starts the pump. Every view is told to `seen` once, in order, when its bytes are taken. */
export const chunksOf = (pump: Pump, seen: (view: Uint8Array) => void): Effect.Effect<Chunks, never, Scope.Scope> =>
  Effect.gen(function*() {
    const waiting: Array<{ view: Uint8Array; readonly release: () => void }> = []
    let parts: Array<Uint8Array> = []
    let filled = 0
    let wanted = 0
    let ended: Exit.Exit<void, StoreError> | undefined
    let wake: (() => void) | undefined

    const fill = () => {
      for (let first = waiting[0]; first !== undefined && filled < wanted; first = waiting[0]) {
        // A copy: the view is the source's again once it is released.
        const part = new Uint8Array(first.view.subarray(0, wanted - filled))
        seen(part)
        parts.push(part)
        filled += part.length
        first.view = first.view.subarray(part.length)
        if (first.view.length === 0) waiting.shift()?.release()
      }
      if (wake !== undefined && (filled === wanted || ended !== undefined)) wake()
    }

    yield* Effect.forkScoped(
      Effect.onExit(
        pump((view, release) => {
          if (view.length === 0) return release()
          waiting.push({ view, release })
          fill()
        }),
        (exit) =>
          Effect.sync(() => {
            ended = exit
            fill()
          })
      )
    )

    const take = (): Effect.Effect<Uint8Array, StoreError> => {
      if (filled < wanted && ended !== undefined && Exit.isFailure(ended)) return Effect.failCause(ended.cause)
      const chunk = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
      parts = []
      filled = 0
      wanted = 0
      return Effect.succeed(chunk)
    }

    return {
      next: (size) =>
        Effect.callback<Uint8Array, StoreError>((resume) => {
          wanted = size
          wake = () => {
            wake = undefined
            resume(take())
          }
          attempt(fill, (error) => resume(Effect.fail(error)))
        })
    }
  })
