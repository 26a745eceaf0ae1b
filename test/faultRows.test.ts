/** Every row of the contract of faults has a test that names it, and no test names a row that there is not. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** How many rows each section of the contract has: network, content, local, configuration, scripts, and so on. */
const sections = { N: 43, C: 25, L: 17, K: 18, S: 15, P: 5, A: 9, R: 21 } as const

const rows = Object.entries(sections).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, at) => `${letter}${String(at + 1).padStart(2, "0")}`)
)

/** Texts of a test file: titles, and tables of rows that titles are made of. Comments name no test. */
const named = (source: string): ReadonlyArray<string> =>
  source.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "")
    .match(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)
    ?.flatMap((text) => text.match(/\b[NCLKSPAR]\d\d\b/g) ?? []) ?? []

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((it) => it.endsWith(".test.ts") && it !== "faultRows.test.ts")
const tested = new Set(files.flatMap((file) => named(readFileSync(join(import.meta.dirname, file), "utf8"))))

describe("the contract of faults", () => {
  it("has a test for each row", () => {
    assert.deepStrictEqual(rows.filter((row) => !tested.has(row)), [])
  })

  it("has each row that a test names", () => {
    assert.deepStrictEqual([...tested].filter((row) => !rows.includes(row)).toSorted(), [])
  })
})
