import { assert, describe, it } from "@effect/vitest"
import { jsonLine, levelName, parseLevel, textLine } from "../../src/lib/slog.ts"

const time = new Date(2026, 0, 2, 3, 4, 5, 678)
const stamp = /^time=2026-01-02T03:04:05\.678(?:Z|[+-]\d\d:\d\d) (.*)$/s

describe("a level", () => {
  it("is a name in any case, with an offset or not", () => {
    assert.deepStrictEqual(["warn", "INFO", "Error", "debug-4", "warn+2", "trace"].map(parseLevel), [
      { level: 4 },
      { level: 0 },
      { level: 8 },
      { level: -8 },
      { level: 6 },
      { level: -8 }
    ])
  })

  it("is refused in slog's words", () => {
    assert.deepStrictEqual(["foo", "warn+x", "TRACE", ""].map(parseLevel), [
      { problem: "slog: level string \"foo\": unknown name" },
      { problem: "slog: level string \"warn+x\": strconv.Atoi: parsing \"+x\": invalid syntax" },
      { problem: "slog: level string \"TRACE\": unknown name" },
      { problem: "slog: level string \"\": unknown name" }
    ])
  })

  it("prints as the next lower name and the offset", () =>
    assert.deepStrictEqual([-8, -4, 0, 2, 4, 6, 8, 12].map(levelName), [
      "DEBUG-4",
      "DEBUG",
      "INFO",
      "INFO+2",
      "WARN",
      "WARN+2",
      "ERROR",
      "ERROR+4"
    ]))
})

describe("a text line", () => {
  const line = (message: string, attributes: Readonly<Record<string, unknown>> = {}) =>
    stamp.exec(textLine({ time, level: 4, message, attributes: Object.entries(attributes) }))?.[1]

  it("quotes what is empty or holds spaces, quotes or equal signs", () =>
    assert.strictEqual(
      line("text here", { key: "value", "match count": 2, none: "", said: "a \"b\"", path: "a\\b", eq: "a=b" }),
      "level=WARN msg=\"text here\" key=value \"match count\"=2 none=\"\" said=\"a \\\"b\\\"\" path=a\\b eq=\"a=b\""
    ))

  it("cannot be forged or moved by what it shows", () =>
    assert.strictEqual(
      line("x\ntime=2026 level=ERROR", { warning: "\u001b[31mred\u202e" }),
      "level=WARN msg=\"x\\ntime=2026 level=ERROR\" warning=\"\\x1b[31mred\\u202e\""
    ))

  it("shows 2000 characters of a value and that there were more", () =>
    assert.strictEqual(line("m", { v: "a".repeat(3_000) }), `level=WARN msg=m v=${"a".repeat(2_000)}…`))
})

describe("a JSON line", () => {
  it("is an object whose values read back, with nothing in it that acts on a terminal", () => {
    const line = jsonLine({
      time,
      level: -8,
      message: "a\n\u009bb",
      attributes: [["n", 2], ["o", { list: ["\u202e"] }]]
    })
    assert.match(line, /^[\u0020-\u007e]+$/)
    const { msg, level, n, o } = JSON.parse(line)
    assert.deepStrictEqual({ msg, level, n, o }, { msg: "a\n\u009bb", level: "DEBUG-4", n: 2, o: { list: ["\u202e"] } })
  })
})
