import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { printed, raisedBy, run } from "./chunks.ts"

const newYork = { environment: { TZ: "America/New_York" } }
const berlin = { environment: { TZ: "Europe/Berlin" } }

describe("os.date", () => {
  it("in UTC leaves the mark out", () => {
    assert.strictEqual(printed("print(os.date('!%Y-%m-%dT%H:%M:%SZ', 1234567890))", newYork), "2009-02-13T23:31:30Z")
    assert.strictEqual(printed("print(os.date('!%c', 0))", newYork), "Thu Jan  1 00:00:00 1970")
  })

  it("is local time in the zone that TZ names", () => {
    assert.strictEqual(
      printed("print(os.date('%Y-%m-%d %H:%M:%S %z %Z', 1234567890))", newYork),
      "2009-02-13 18:31:30 -0500 EST"
    )
    assert.strictEqual(printed("print(os.date('%F %X %z %Z', 1720000000))", newYork), "2024-07-03 05:46:40 -0400 EDT")
    assert.strictEqual(printed("print(os.date('%F %X %z', 1720000000))", berlin), "2024-07-03 11:46:40 +0200")
    assert.strictEqual(
      printed("print(os.date('%H:%M %z', 0))", { environment: { TZ: "Asia/Kolkata" } }),
      "05:30 +0530"
    )
  })

  it("is in UTC when TZ is empty or names no zone", () => {
    for (const TZ of ["", "UTC", "No/Such", "../../etc/passwd"])
      assert.strictEqual(printed("print(os.date('%H %Z', 0))", { environment: { TZ } }), "00 UTC")
  })

  it("knows the letters of C, and passes others through", () => {
    const dates = (format: string) => printed(`print(os.date('!${format}', 1717286709))`)
    assert.strictEqual(dates("%a %A %b %B %d %e %p %P %w"), "Sun Sunday Jun June 02  2 AM am 0")
    assert.strictEqual(
      dates("%D %F %T %x %X %H %I %M %S %y %Y"),
      "06/02/24 2024-06-02 00:05:09 06/02/24 00:05:09 00 12 05 09 24 2024"
    )
    assert.strictEqual(dates("%j %U %z %Z %%c"), "154 22 +0000 UTC %c")
    assert.strictEqual(dates("[%n|%t]"), "[\n|\t]")
    assert.strictEqual(dates("%k %Q %"), "%k %Q %")
    assert.strictEqual(dates("%I%p"), "12AM")
    assert.strictEqual(printed("print(os.date('!%I%p', 43200))"), "12PM")
    assert.strictEqual(printed("print(os.date('!é\\255', 0):byte(1, -1))"), "195\t169\t255")
  })

  it("gives fields with the day of the year and summer time", () => {
    const fields =
      "local t = os.date(F, 1720000000) print(t.year, t.month, t.day, t.hour, t.min, t.sec, t.wday, t.yday, t.isdst)"
    assert.strictEqual(printed(fields.replace("F", "'*t'"), newYork), "2024\t7\t3\t5\t46\t40\t4\t185\ttrue")
    assert.strictEqual(printed(fields.replace("F", "'!*t'"), newYork), "2024\t7\t3\t9\t46\t40\t4\t185\tfalse")
  })

  it("takes times with fractions, before 1970, and none without a date", () => {
    assert.strictEqual(printed("print(os.date('!%F %T', 1.9), os.date('!%F', -1))"), "1970-01-01 00:00:01\t1969-12-31")
    assert.strictEqual(printed("print(os.date('!%F', 1e20), os.date('!%F', -1/0))"), "nil\tnil")
    assert.match(printed("print(os.date())"), /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/)
    assert.strictEqual(
      raisedBy("os.date('%Y', 'x')"),
      "<string>:1: bad argument #2 to 'date' (number expected, got string)"
    )
  })
})

describe("os.time", () => {
  it("reads fields as local time, noon without an hour", () => {
    assert.strictEqual(
      printed("print(os.time{year=2024,month=1,day=1,hour=0}, os.time{year='2024',month='1',day='2'})", newYork),
      "1704085200\t1704214800"
    )
    assert.strictEqual(printed("print(os.time{year=2024,month=7,day=1,hour=0})", berlin), "1719784800")
  })

  it("takes fields out of their range, and with fractions", () => {
    assert.strictEqual(printed("print(os.time{year=2024,month=14,day=-3,hour=12})", newYork), "1738083600")
    assert.strictEqual(printed("print(os.time{year=2024.7,month=1,day=1.9,hour=0,sec=90})"), "1704067290")
    assert.strictEqual(printed("print(os.time{year=1e18,month=1,day=1})"), "nil")
  })

  it("tells two times apart that a clock shows alike by isdst", () => {
    const at = (isdst: string) =>
      printed(`print(os.time{year=2024,month=10,day=27,hour=2,min=30,isdst=${isdst}})`, berlin)
    assert.strictEqual(at("true"), "1729989000")
    assert.strictEqual(at("false"), "1729992600")
  })

  it("gives back what os.date took apart", () => {
    assert.strictEqual(
      printed("print(os.time(os.date('*t', 1729992600)), os.time(os.date('*t', 1234567890)))", berlin),
      "1729992600\t1234567890"
    )
  })

  it("is whole seconds now, far from any limit", () => {
    assert.strictEqual(
      printed("local t = os.time() print(t == math.floor(t), t > 1.7e9, t * 1000 > 1.7e12)"),
      "true\ttrue\ttrue"
    )
    assert.strictEqual(raisedBy("os.time{year=2024}"), "<string>:1: field 'day' missing in date table")
  })
})

describe("os", () => {
  it("compares times and measures them", () => {
    assert.strictEqual(printed("print(os.difftime(5, 3), os.difftime(5), os.clock() >= 0)"), "2\t5\ttrue")
  })

  it("sees an environment of its own, which its commands have as well", () => {
    assert.strictEqual(
      printed(
        "print(os.getenv('GREETING'), os.getenv('NONE')) print(os.setenv('NONE', 'x y'), os.getenv('NONE')) " +
          "print(io.popen('echo $GREETING $NONE'):read('*l')) os.setenv('NONE') print(os.getenv('NONE'), os.setenv('a=b', 'c'))",
        { environment: { GREETING: "hello" } }
      ),
      "hello\tnil\ntrue\tx y\nhello x y\nnil\tfalse"
    )
    assert.isUndefined(process.env["NONE"])
    assert.strictEqual(printed("print(os.getenv('EMPTY'))", { environment: { EMPTY: "" } }), "nil")
  })

  it("runs commands and gives 0 or 1", () => {
    assert.strictEqual(
      printed("print(os.execute('true'), os.execute('exit 3'), os.execute('kill -9 $$'), os.execute())"),
      "0\t1\t1\t1"
    )
  })

  it("ends with the status it is given", () => {
    for (
      const [argument, status] of [["", 0], ["3", 3], ["true", 0], ["false", 1], ["2.9", 2], ["256", 0], [
        "-1",
        255
      ]] as const
    ) assert.strictEqual(run(`print('x') os.exit(${argument})`).raised?.message, `<string>:1: exit ${status}`)
  })

  it("renames and removes files, and says what cannot be done", () => {
    const dir = mkdtempSync(join(tmpdir(), "lua-"))
    try {
      assert.strictEqual(
        printed(
          "local a, b = os.getenv('DIR') .. '/a', os.getenv('DIR') .. '/b' io.open(a, 'w'):close() " +
            "print(os.rename(a, b), io.open(a), io.open(b) ~= nil) print(os.remove(b), io.open(b) == nil)",
          { environment: { DIR: dir } }
        ),
        "true\tnil\ttrue\ntrue\ttrue"
      )
    } finally {
      rmSync(dir, { recursive: true })
    }
    assert.strictEqual(printed("print(os.remove('/none/x'))"), "nil\t/none/x: No such file or directory\t2")
    assert.strictEqual(printed("print(os.rename('/none/x', '/y'))"), "nil\t/none/x: No such file or directory\t2")
    assert.strictEqual(printed("print(os.remove('a\\0b'))"), "nil\ta\0b: Invalid argument\t22")
  })

  it("makes temporary names, and has no locale but C", () => {
    assert.strictEqual(printed("local n = os.tmpname() print(io.open(n) ~= nil, os.remove(n))"), "true\ttrue")
    assert.strictEqual(printed("print(os.setlocale(), os.setlocale('C'), os.setlocale('fr_FR', 'all'))"), "C\tC\tnil")
  })
})
