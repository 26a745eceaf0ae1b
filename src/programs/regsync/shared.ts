/** What all runs of one process share: places for copies, turns at writing a tag, and what indexes say of platforms. */
import { Context, Effect, Layer, Semaphore } from "effect"
import { Recent } from "../../lib/recent.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { makeTurns } from "../../services/turns.ts"

/** Entries at work at once: more would only wait, each with what it has open. */
const jobs = 256
/** Pairs looked at at once by all entries; each asks two registries one question. */
const looks = 64
/** Answers kept of which manifest of an index is for a platform. */
const kept = 1_000

export class Shared extends Context.Service<Shared, {
  /** Holds one of the places for entries. */
  readonly working: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Somebody else has the entry's place meanwhile: for waits that are long. */
  readonly resting: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Holds one of the places for copies; who came first goes first. */
  readonly copying: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A new number of places; copies at work keep theirs. */
  readonly resize: (parallel: number) => Effect.Effect<void>
  readonly looking: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Nobody else writes any of these names meanwhile (faults K05). */
  readonly writing: (
    names: ReadonlyArray<string>
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  readonly platforms: {
    readonly get: (index: Digest, platform: string) => Digest | undefined
    readonly set: (index: Digest, platform: string, found: Digest) => void
  }
}>()("regclient/programs/regsync/Shared") {
  /** With `parallel` places for copies, one at least (regsync description, 10.1). */
  static readonly layer = (parallel: number): Layer.Layer<Shared> =>
    Layer.sync(Shared, () => {
      const copies = Semaphore.makeUnsafe(Math.max(1, parallel))
      return Shared.of({
        ...entries(),
        copying: copies.withPermit,
        resize: (parallel) => copies.resize(Math.max(1, parallel)),
        looking: Semaphore.makeUnsafe(looks).withPermit,
        writing: turns(),
        platforms: memory()
      })
    })
}

/** Thousands wait here; Effect's semaphore looks at all who wait whenever one leaves. */
const entries = () => {
  const waiting = new Set<() => void>()
  let free = jobs
  const leave = Effect.sync(() => {
    free++
    const [first] = waiting
    if (free <= 0 || first === undefined) return
    free--
    waiting.delete(first)
    first()
  })
  const enter = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) => {
      let isIn = false
      const wait = Effect.callback<void>((resume) => {
        const start = () => {
          isIn = true
          resume(Effect.void)
        }
        if (free > 0) {
          free--
          return start()
        }
        waiting.add(start)
        return Effect.sync(() => void waiting.delete(start))
      })
      const done = Effect.suspend(() => isIn ? leave : Effect.void)
      return Effect.ensuring(restore(Effect.andThen(wait, effect)), done)
    })
  return {
    working: enter,
    // Who comes back does not wait: for a while there is one more than there are places.
    resting: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(leave, () => effect, () => Effect.sync(() => void free--))
  }
}

/** Names are taken in one order by everybody, so that no two wait for each other. */
const turns = () => {
  const one = makeTurns()
  return (names: ReadonlyArray<string>) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    [...new Set(names)].toSorted().reduceRight((inner, name) => one(name)(inner), effect)
}

const memory = () => {
  const answers = new Recent<Digest>(kept)
  return {
    get: (index: Digest, platform: string) => answers.get(`${index} ${platform}`),
    set: (index: Digest, platform: string, found: Digest) => answers.set(`${index} ${platform}`, found)
  }
}
