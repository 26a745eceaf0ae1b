import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { fold } from "../../../src/programs/graph/fold.ts"

/** A graph by numbers: node n has the children listed at n, all smaller, so that there is no loop. */
const Graph = Schema.Array(Schema.Array(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 30 })))))

const childrenIn =
  (graph: typeof Graph.Type) => (node: number) => [...new Set((graph[node] ?? []).filter((child) => child < node))]

describe("fold", () => {
  it.effect.prop("visits each node once, after its children", [Graph], ([graph]) =>
    Effect.gen(function*() {
      const childrenOf = childrenIn(graph)
      const order: Array<number> = []
      const walk = fold<number, number, never, never>({
        key: String,
        expand: (node) => Effect.as(Effect.yieldNow, childrenOf(node)),
        visit: (node, children) =>
          Effect.sync(() => {
            assert.deepStrictEqual([...children], childrenOf(node))
            for (const child of children) assert.isTrue(order.includes(child))
            order.push(node)
            return node
          })
      })
      const roots = graph.map((_, node) => node).toReversed()
      yield* Effect.forEach(roots, walk, { concurrency: "unbounded" })
      assert.deepStrictEqual(order.toSorted((a, b) => a - b), roots.toReversed())
    }))

  it.effect("tells a failure to all that wait for the node", () =>
    Effect.gen(function*() {
      const walk = fold<string, string, string, never>({
        key: (it) => it,
        expand: (node) => Effect.succeed(node === "leaf" ? [] : ["leaf"]),
        visit: (node) => node === "leaf" ? Effect.andThen(Effect.yieldNow, Effect.fail("broken")) : Effect.succeed(node)
      })
      const exits = yield* Effect.forEach(["a", "b"], (root) => Effect.exit(walk(root)), { concurrency: 2 })
      assert.isTrue(exits.every(Exit.isFailure))
    }))
})
