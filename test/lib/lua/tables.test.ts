import { assert, describe, it } from "@effect/vitest"
import { Random } from "effect"
import * as Effect from "effect/Effect"
import { printed, run } from "./chunks.ts"

/** What a table must look like after the same steps: positions ascending, then names as they first came. */
const model = (steps: ReadonlyArray<readonly [key: number | string, value: number | undefined]>): string => {
  const positions = new Map<number, number>()
  const names = new Map<string, number | undefined>()
  for (const [key, value] of steps) {
    if (typeof key === "string") {
      if (value !== undefined || names.has(key)) names.set(key, value)
    } else if (value === undefined) positions.delete(key)
    else positions.set(key, value)
  }
  const sorted = [...positions].toSorted(([a], [b]) => a - b)
  const all = [...sorted, ...[...names].filter(([, value]) => value !== undefined)]
  return [...all.map(([key, value]) => `${key}=${value}`), `#${sorted.at(-1)?.[0] ?? 0}`].join(" ")
}

const show =
  "local o = {} for k, v in pairs(t) do o[#o + 1] = k .. '=' .. v end o[#o + 1] = '#' .. #t print(table.concat(o, ' '))"

describe("tables", () => {
  it.effect("look as their rule says after any steps", () =>
    Effect.gen(function*() {
      for (let round = 0; round < 20; round++) {
        const steps: Array<readonly [number | string, number | undefined]> = []
        for (let step = 0; step < 150; step++) {
          const kind = yield* Random.nextIntBetween(0, 4)
          const near = yield* Random.nextIntBetween(1, 30)
          const key = kind === 0 ? `k${near}` : kind === 1 ? near * 500 : near
          steps.push([key, (yield* Random.nextIntBetween(0, 3)) === 0 ? undefined : step])
        }
        const source = steps.map(([key, value]) => `t[${JSON.stringify(key)}]=${value ?? "nil"}`).join(" ")
        // More than 32 removed names may give their places up: 30 names never do.
        assert.strictEqual(printed(`local t = {} ${source} ${show}`), model(steps))
      }
    }).pipe(Random.withSeed("tables")))

  it("give the places of removed names up when new ones come", () => {
    const { output } = run(
      "local t = {} for i = 1, 100000 do t['k' .. i] = i t['k' .. i - 1] = nil end local n = 0 for k in pairs(t) do n = n + 1 end print(n, t.k100000)"
    )
    assert.strictEqual(output, "1\t100000\n")
  })

  it("hold a queue", () => {
    assert.strictEqual(
      printed(
        "local q, head, tail = {}, 1, 0 for i = 1, 5000 do tail = tail + 1 q[tail] = i if i % 2 == 0 then assert(q[head] == head) q[head] = nil head = head + 1 end end print(head, tail, #q, (next(q)))"
      ),
      "2501\t5000\t5000\t2501"
    )
  })

  it("are filled from the end", () => {
    assert.strictEqual(
      printed(
        "local t = {} for i = 20000, 1, -1 do t[i] = i end local s = 0 for i, v in ipairs(t) do s = s + v end print(#t, s)"
      ),
      "20000\t200010000"
    )
  })

  it("grow and shrink behind a gap", () => {
    assert.strictEqual(
      printed(
        "local t = {} t[1000] = 1 for i = 1, 20000 do t[#t + 1] = i end print(#t, t[1001]) for i = 1, 20000 do t[#t] = nil end print(#t, (next(t)), next(t, 1000))"
      ),
      "21000\t1\n1000\t1000\tnil"
    )
  })

  it("waste no room on positions that nobody assigned", () => {
    const { guard, output } = run(
      "local all = {} for k = 1, 8 do local t, n = {}, 64 while n < 2 ^ 26 do t[n] = 1 n = n * 2 end all[k] = t end for i = 1, 100000 do end print(#all[1])",
      { memory: process.memoryUsage().heapUsed + 256 * 1024 * 1024 }
    )
    assert.deepStrictEqual([output, guard.end()], ["33554432\n", undefined])
  })

  it("are traversed to the end when the key in hand was removed", () => {
    assert.strictEqual(
      printed("local t = {a = 1, b = 2, c = 3} t.b = nil print(next(t, 'b')) print(next({1, 2, 3}, 7))"),
      "c\t3\nnil"
    )
  })
})
