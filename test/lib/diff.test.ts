import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type Change, diffHunks, diffLines } from "../../src/lib/diff.ts"

/** Few letters, so that texts have much in common. */
const Text = Schema.Array(Schema.Literals(["a", "b", "c", "d"]))

/** The second text, made of the first one and what the changes say. */
const applied = (a: ReadonlyArray<string>, b: ReadonlyArray<string>, changes: ReadonlyArray<Change>) => {
  const lines: Array<string> = []
  let at = 0
  for (const { aFrom, aTo, bFrom, bTo } of changes) {
    lines.push(...a.slice(at, aFrom), ...b.slice(bFrom, bTo))
    at = aTo
  }
  return [...lines, ...a.slice(at)]
}

const editsOf = (changes: ReadonlyArray<Change>) =>
  changes.reduce((sum, { aFrom, aTo, bFrom, bTo }) => sum + aTo - aFrom + bTo - bFrom, 0)

/** Length of the longest text that both contain, by the table every textbook has. */
const common = (a: Iterable<string>, b: ReadonlyArray<string>): number => {
  let row = Array.from({ length: b.length + 1 }, () => 0)
  for (const line of a) {
    const next = [0]
    for (const [at, other] of b.entries()) {
      next.push(line === other ? (row[at] ?? 0) + 1 : Math.max(row[at + 1] ?? 0, next[at] ?? 0))
    }
    row = next
  }
  return row.at(-1) ?? 0
}

const lines = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at))

describe("the changes between two texts", () => {
  it.prop("make the second of the first, with as few edits as can be", [Text, Text], ([a, b]) => {
    const changes = diffLines(a, b)
    assert.strictEqual(applied(a, b, changes).join(), b.join())
    assert.strictEqual(editsOf(changes), a.length + b.length - 2 * common(a, b))
  })

  it.prop("make the second of the first when the search is cut short", [Text, Text], ([a, b]) => {
    for (const steps of [0, 3, 10]) assert.strictEqual(applied(a, b, diffLines(a, b, { steps })).join(), b.join())
  })

  it.prop("never touch each other", [Text, Text], ([a, b]) => {
    const changes = diffLines(a, b)
    for (const [at, change] of changes.entries()) {
      const before = changes[at - 1]
      assert.isTrue(before === undefined || (before.aTo < change.aFrom && before.bTo < change.bFrom))
    }
  })

  it("line up what occurs once on both sides when a shortest script is too far away", () => {
    const a = [..."1aaa2bbb3"]
    const b = [..."xx1cc2dd3yy"]
    const kept = diffLines(a, b, { steps: 1 })
    assert.deepStrictEqual(kept, [
      { aFrom: 0, aTo: 0, bFrom: 0, bTo: 2 },
      { aFrom: 1, aTo: 4, bFrom: 3, bTo: 5 },
      { aFrom: 5, aTo: 8, bFrom: 6, bTo: 8 },
      { aFrom: 9, aTo: 9, bFrom: 9, bTo: 11 }
    ])
  })

  it("of 100,000 lines with few differences are found in little memory", () => {
    const a = lines(100_000, (at) => `line ${at}`)
    const b = a.map((line, at) => at % 1_000 === 0 ? `other ${at}` : line)
    const before = process.memoryUsage.rss()
    const changes = diffLines(a, b)
    assert.strictEqual(changes.length, 100)
    assert.isBelow(process.memoryUsage.rss() - before, 200_000_000)
  })

  it("of texts that have no line in common are one change", () => {
    const changes = diffLines(lines(200_000, (at) => `a${at}`), lines(100_000, (at) => `b${at}`))
    assert.deepStrictEqual(changes, [{ aFrom: 0, aTo: 200_000, bFrom: 0, bTo: 100_000 }])
  })

  it("of texts with the same lines in another order need a bit for each step of the search", () => {
    const a = lines(8_000, (at) => `line ${at}`)
    const b = lines(8_000, (at) => `line ${(at * 7_919) % 8_000}`)
    const before = process.memoryUsage.rss()
    const changes = diffLines(a, b)
    assert.strictEqual(applied(a, b, changes).join(), b.join())
    assert.isBelow(process.memoryUsage.rss() - before, 300_000_000)
  })
})

describe("hunks", () => {
  const cases: ReadonlyArray<readonly [a: string, b: string, context: number, hunks: ReadonlyArray<string>]> = [
    ["abc", "abc", 3, []],
    ["", "", 3, []],
    ["abc", "def", 3, ["@@ -1,3 +1,3 @@", "- a", "- b", "- c", "+ d", "+ e", "+ f"]],
    ["", "abc", 3, ["@@ -1,0 +1,3 @@", "+ a", "+ b", "+ c"]],
    ["abc", "", 3, ["@@ -1,3 +1,0 @@", "- a", "- b", "- c"]],
    ["abcabba", "cbabac", 0, [
      "@@ -1,2 +1,0 @@",
      "- a",
      "- b",
      "@@ -4,0 +2,1 @@",
      "+ b",
      "@@ -6,1 +5,0 @@",
      "- b",
      "@@ -8,0 +6,1 @@",
      "+ c"
    ]],
    ["ab", "ac", -1, ["@@ -2,1 +2,1 @@", "- b", "+ c"]],
    ["abcdefg", "abxdefg", 1, ["@@ -2,3 +2,3 @@", "  b", "- c", "+ x", "  d"]],
    // A gap of as many lines as the context joins, one line more parts, and both hunks show it.
    ["1ab2", "3ab4", 2, ["@@ -1,4 +1,4 @@", "- 1", "+ 3", "  a", "  b", "- 2", "+ 4"]],
    ["1abc2", "3abc4", 2, [
      "@@ -1,3 +1,3 @@",
      "- 1",
      "+ 3",
      "  a",
      "  b",
      "@@ -3,3 +3,3 @@",
      "  b",
      "  c",
      "- 2",
      "+ 4"
    ]],
    ["1abcdef2", "3abcdef4", Number.POSITIVE_INFINITY, [
      "@@ -1,8 +1,8 @@",
      "- 1",
      "+ 3",
      "  a",
      "  b",
      "  c",
      "  d",
      "  e",
      "  f",
      "- 2",
      "+ 4"
    ]]
  ]
  it.each(cases)("of %j and %j with context %d are as users know them", (a, b, context, hunks) => {
    assert.deepStrictEqual(diffHunks([...a], [...b], { context }), hunks)
  })
})
