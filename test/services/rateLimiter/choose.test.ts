import { assert, describe, it } from "@effect/vitest"
import type { Demand } from "../../../src/services/RateLimiter.ts"
import { choose } from "../../../src/services/rateLimiter/choose.ts"

const head: Demand = { kind: "head", size: 0 }
const manifest: Demand = { kind: "manifest", size: 2000 }
const query: Demand = { kind: "query", size: 0 }
const blob = (size: number): Demand => ({ kind: "blob", size })

const cases: ReadonlyArray<readonly [string, ReadonlyArray<Demand>, ReadonlyArray<Demand>, number | undefined]> = [
  ["nobody when nobody waits", [], [], undefined],
  ["a small request past older blobs when none runs", [blob(9), blob(8), query], [blob(1)], 2],
  ["HEAD before manifest before the rest", [query, manifest, head], [], 2],
  ["the oldest of two HEADs", [blob(1), head, head], [], 1],
  ["the biggest blob at every other place", [blob(5), blob(9), blob(7)], [head], 1],
  ["the oldest at the others", [blob(5), blob(9), head], [head, blob(3)], 0],
  ["the oldest small one when small ones run and no blob waits", [query, head], [head], 0],
  ["a huge manifest as anything else", [blob(1), { kind: "manifest", size: 5_000_000 }], [], 0]
]

describe("choose", () => {
  for (const [name, waiting, running, expected] of cases) {
    it(`takes ${name}`, () => {
      const entries = waiting.map((demand) => ({ hosts: ["a"], demand }))
      assert.strictEqual(choose(entries, () => running), expected)
    })
  }
})
