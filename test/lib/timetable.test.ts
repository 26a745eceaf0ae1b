import { assert, describe, it } from "@effect/vitest"
import { parseTimetable } from "../../src/lib/timetable.ts"

/** Times after one, as ISO texts in UTC without seconds. */
const times = (text: string, from: string, count = 1, zone = "UTC"): ReadonlyArray<string> => {
  const found = parseTimetable(text, zone)
  if ("problem" in found) throw new Error(found.problem)
  const list: Array<string> = []
  let at: number | undefined = Date.parse(from)
  for (let n = 0; n < count && at !== undefined; n++) {
    at = found.timetable.next(at)
    list.push(at === undefined ? "never" : new Date(at).toISOString().slice(0, 16))
  }
  return list
}

describe("a timetable", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["* * * * *", "2026-01-01T00:00:30Z", ["2026-01-01T00:01", "2026-01-01T00:02"]],
    ["30 4 * * *", "2026-01-01T04:30:00Z", ["2026-01-02T04:30", "2026-01-03T04:30"]],
    ["*/20 * * * *", "2026-01-01T00:05:00Z", ["2026-01-01T00:20", "2026-01-01T00:40", "2026-01-01T01:00"]],
    ["5/25 * * * *", "2026-01-01T00:05:00Z", ["2026-01-01T00:30", "2026-01-01T00:55", "2026-01-01T01:05"]],
    ["0 0 31 * *", "2026-01-31T00:00:00Z", ["2026-03-31T00:00", "2026-05-31T00:00"]],
    ["0 0 29 feb ?", "2026-01-01T00:00:00Z", ["2028-02-29T00:00"]],
    ["0 0 31 2 *", "2026-01-01T00:00:00Z", ["never"]],
    ["0 12 * * MON-fri", "2026-01-02T13:00:00Z", ["2026-01-05T12:00"]],
    // Both restricted: either one will do. 2026-02-13 is a Friday.
    ["0 0 13 * fri", "2026-02-01T00:00:00Z", ["2026-02-06T00:00", "2026-02-13T00:00", "2026-02-20T00:00"]],
    // A step counts as a restriction unless it is 1.
    ["0 0 */2 * fri", "2026-02-01T00:00:00Z", ["2026-02-03T00:00", "2026-02-05T00:00", "2026-02-06T00:00"]],
    ["0 0 */1 * fri", "2026-02-01T00:00:00Z", ["2026-02-06T00:00", "2026-02-13T00:00"]],
    ["@hourly", "2026-01-01T00:00:00Z", ["2026-01-01T01:00"]],
    ["@weekly", "2026-01-01T00:00:00Z", ["2026-01-04T00:00"]],
    ["@yearly", "2026-01-01T00:00:00Z", ["2027-01-01T00:00"]],
    ["@every 90m", "2026-01-01T00:00:00.900Z", ["2026-01-01T01:30", "2026-01-01T03:00"]],
    ["TZ=Asia/Tokyo 0 9 * * *", "2026-01-01T00:00:00Z", ["2026-01-02T00:00"]],
    ["CRON_TZ=America/New_York 0 0 1 1 *", "2026-06-01T00:00:00Z", ["2027-01-01T05:00"]]
  ]
  for (const [text, from, expected] of cases) {
    it(`of ${text} comes after ${from} at ${expected.join(", ")}`, () =>
      assert.deepStrictEqual(times(text, from, expected.length), expected))
  }

  it("leaves out a time in the hour that a zone skips", () =>
    // Berlin, 2026-03-29: 02:00 becomes 03:00.
    assert.deepStrictEqual(times("30 2 * * *", "2026-03-27T12:00:00Z", 3, "Europe/Berlin"), [
      "2026-03-28T01:30",
      "2026-03-30T00:30",
      "2026-03-31T00:30"
    ]))

  it("comes twice at a time in the hour that a zone repeats", () =>
    // Berlin, 2026-10-25: 03:00 becomes 02:00 again.
    assert.deepStrictEqual(times("30 2 * * *", "2026-10-24T12:00:00Z", 3, "Europe/Berlin"), [
      "2026-10-25T00:30",
      "2026-10-25T01:30",
      "2026-10-26T01:30"
    ]))

  it("of every hour keeps to the hours that pass when clocks are turned", () => {
    assert.deepStrictEqual(times("0 * * * *", "2026-03-28T23:30:00Z", 4, "Europe/Berlin"), [
      "2026-03-29T00:00",
      "2026-03-29T01:00",
      "2026-03-29T02:00",
      "2026-03-29T03:00"
    ])
    assert.deepStrictEqual(times("0,30 * * * *", "2026-10-24T23:45:00Z", 5, "Europe/Berlin"), [
      "2026-10-25T00:00",
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00"
    ])
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["", "empty spec string"],
    ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
    ["0 0 * * 7", "end of range (7) above maximum (6): 7 (Sunday is 0)"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["0 0 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["0 0 L * *", "failed to parse int from L: L"],
    ["0 0 * * monday", "failed to parse int from monday: monday"],
    ["@Daily", "unrecognized descriptor: @Daily"],
    ["@every 1d", "failed to parse duration @every 1d"],
    ["TZ=Nowhere/City 0 0 * * *", "provided bad location Nowhere/City: unknown time zone Nowhere/City"],
    ["TZ=Europe/Berlin", "no schedule behind the time zone in TZ=Europe/Berlin"]
  ]
  for (const [text, problem] of refused) {
    it(`of ${JSON.stringify(text)} is refused`, () => assert.deepStrictEqual(parseTimetable(text), { problem }))
  }
})

describe("thousands of timetables", () => {
  it("share what knows the clock of a zone", () => {
    const format = Intl.DateTimeFormat
    let made = 0
    Intl.DateTimeFormat = new Proxy(format, {
      construct: (target, args) => {
        made++
        return Reflect.construct(target, args)
      }
    })
    try {
      for (let minute = 0; minute < 60; minute++) {
        for (const zone of ["", "TZ=Indian/Mauritius ", "TZ=indian/mauritius "]) {
          assert.containsAllKeys(parseTimetable(`${zone}${minute} 4 * * *`), ["timetable"])
        }
      }
    } finally {
      Intl.DateTimeFormat = format
    }
    assert.isAtMost(made, 2)
  })
})
