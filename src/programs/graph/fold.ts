/**
 * One recursion over content, children before parents, each node once.
 *
 * Planning a copy, rewriting an image, writing an archive, printing a tree and
 * marking for garbage collection are all this function with another `visit`.
 */
import { Deferred, Effect } from "effect"

export interface Step<N, A, E, R> {
  /** What makes two nodes the same. */
  readonly key: (node: N) => string
  /** The content this node is made of; none makes it a leaf, or prunes it. */
  readonly expand: (node: N) => Effect.Effect<ReadonlyArray<N>, E, R>
  /** Called once for each node, when all its children have their results. */
  readonly visit: (node: N, children: ReadonlyArray<A>) => Effect.Effect<A, E, R>
}

/** Children of one node at once: more than any limiter lets through, and few enough that those who wait cost nothing. */
const concurrency = 64

/**
 * The walk keeps its memory: walking a second root repeats nothing.
 *
 * Content names content by digest, so there is no loop to wait in. Relations
 * that can loop (referrers, digest tags) are roots of their own, not children.
 */
export const fold = <N, A, E, R>({ expand, key, visit }: Step<N, A, E, R>) => {
  const results = new Map<string, Deferred.Deferred<A, E>>()

  const walk = (node: N): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const known = results.get(key(node))
      if (known !== undefined) return Deferred.await(known)
      const result = Deferred.makeUnsafe<A, E>()
      results.set(key(node), result)
      return Effect.onExit(compute(node), (exit) => Deferred.done(result, exit))
    })

  // A child waits for nothing but what was begun before it, so the bound cannot deadlock.
  const compute = Effect.fnUntraced(function*(node: N) {
    const children = yield* expand(node)
    return yield* visit(node, yield* Effect.forEach(children, walk, { concurrency }))
  })

  return walk
}
