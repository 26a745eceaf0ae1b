import { assert, describe, it } from "@effect/vitest"
import { formatGoDuration, parseGoDuration } from "../../src/lib/goDuration.ts"
import { formatTime, parseTime } from "../../src/lib/goTime.ts"

// All expected texts were printed by Go 1.26.

const layouts: ReadonlyArray<readonly [layout: string, text: string]> = [
  ["Mon Jan _2 15:04:05 2006", "Mon Mar  4 15:06:07 2024"],
  ["Mon Jan _2 15:04:05 MST 2006", "Mon Mar  4 15:06:07 +0530 2024"],
  ["Mon Jan 02 15:04:05 -0700 2006", "Mon Mar 04 15:06:07 +0530 2024"],
  ["02 Jan 06 15:04 MST", "04 Mar 24 15:06 +0530"],
  ["02 Jan 06 15:04 -0700", "04 Mar 24 15:06 +0530"],
  ["Monday, 02-Jan-06 15:04:05 MST", "Monday, 04-Mar-24 15:06:07 +0530"],
  ["Mon, 02 Jan 2006 15:04:05 MST", "Mon, 04 Mar 2024 15:06:07 +0530"],
  ["Mon, 02 Jan 2006 15:04:05 -0700", "Mon, 04 Mar 2024 15:06:07 +0530"],
  ["2006-01-02T15:04:05Z07:00", "2024-03-04T15:06:07+05:30"],
  ["2006-01-02T15:04:05.999999999Z07:00", "2024-03-04T15:06:07.089+05:30"],
  ["3:04PM", "3:06PM"],
  ["Jan _2 15:04:05.000", "Mar  4 15:06:07.089"],
  ["2006-002 __2 3:4:5pm .000 .999999 ,00", "2024-064  64 3:6:7pm .089 .089 ,08"],
  ["06/1/2 Monday Z07:00:00 Z0700 -07", "24/3/4 Monday +05:30:00 +0530 +05"]
]

const parsed: ReadonlyArray<readonly [layout: string, text: string, result: string]> = [
  ["2006-01-02T15:04:05Z07:00", "2024-01-02T03:04:05.123456789Z", "2024-01-02 03:04:05.123456789 +0000 UTC"],
  ["2006-01-02T15:04:05Z07:00", "2024-01-02T03:04:05+02:00", "2024-01-02 03:04:05 +0200 +0200"],
  ["Mon, 02 Jan 2006 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 MST", "2006-01-02 15:04:05 +0000 MST"],
  ["3:04PM", "3:04PM", "0000-01-01 15:04:00 +0000 UTC"],
  ["2006-01-02", "2024-02-30", "parsing time \"2024-02-30\": day out of range"],
  ["2006-01-02", "2024-13-01", "parsing time \"2024-13-01\": month out of range"],
  ["15:04", "25:00", "parsing time \"25:00\": hour out of range"],
  ["2006-01-02", "2024-01-02x", "parsing time \"2024-01-02x\": extra text: \"x\""],
  ["Jan 2 2006", "Feb 9 2021", "2021-02-09 00:00:00 +0000 UTC"],
  ["2006-002", "2024-060", "2024-02-29 00:00:00 +0000 UTC"],
  [
    "2006-01-02T15:04:05Z07:00",
    "2024-01-02 03:04:05Z",
    "parsing time \"2024-01-02 03:04:05Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \" 03:04:05Z\" as \"T\""
  ]
]

const durations: ReadonlyArray<readonly [text: string, printed: string | undefined]> = [
  ["1h", "1h0m0s"],
  ["90m", "1h30m0s"],
  ["1h30m0s", "1h30m0s"],
  ["1.5s", "1.5s"],
  ["250ms", "250ms"],
  ["10us", "10µs"],
  ["7ns", "7ns"],
  ["0", "0s"],
  ["-1m", "-1m0s"],
  ["1d", undefined],
  ["", undefined],
  ["1", undefined],
  ["3h0.5m", "3h0m30s"],
  ["100h", "100h0m0s"]
]

describe("formatTime", () => {
  const time = { nanos: 1_709_544_967_089_000_000n, offset: 19_800, zone: "" }
  for (const [layout, text] of layouts) {
    it(`prints ${layout}`, () => assert.strictEqual(formatTime(time, layout), text))
  }
})

describe("parseTime", () => {
  for (const [layout, text, result] of parsed) {
    it(`reads ${text} by ${layout}`, () => {
      const read = parseTime(layout, text)
      const shown = "problem" in read
        ? read.problem
        : formatTime(read.time, "2006-01-02 15:04:05.999999999 -0700 MST")
      assert.strictEqual(shown, result)
    })
  }
})

describe("Go durations", () => {
  for (const [text, printed] of durations) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const read = parseGoDuration(text)
      assert.strictEqual(read === undefined ? undefined : formatGoDuration(read), printed)
    })
  }
})
