/** Times and durations as templates see them, with the methods of Go's `time` package. */
import { formatGoDuration } from "./goDuration.ts"
import { Float, stringArg, Struct, TemplateFailure } from "./gotemplate/value.ts"
import { formatTime, type GoTime, parseTime, rfc3339Nano, utcTime, zeroTime } from "./goTime.ts"
import { jsonString } from "./json.ts"

/** A number of nanoseconds that prints as `1m30s`. */
export const durationView = (nanos: bigint): Struct => {
  const per = (unit: number) => () => new Float(Number(nanos) / unit)
  return new Struct("time.Duration", {}, {
    string: () => formatGoDuration(Number(nanos) / 1e6),
    json: () => String(nanos),
    number: nanos,
    methods: {
      String: () => formatGoDuration(Number(nanos) / 1e6),
      Hours: per(3600e9),
      Minutes: per(60e9),
      Seconds: per(1e9),
      Milliseconds: () => nanos / 1_000_000n,
      Microseconds: () => nanos / 1_000n,
      Nanoseconds: () => nanos
    }
  })
}

/** A name that is a number too: a month, a day of the week. */
const namedNumber = (type: string, name: string, number: number): Struct =>
  new Struct(type, {}, {
    string: () => name,
    json: () => String(number),
    number,
    methods: { String: () => name }
  })

const known = new WeakMap<Struct, GoTime>()

const timeArg = (value: unknown): GoTime => {
  const time = value instanceof Struct ? known.get(value) : undefined
  if (time === undefined) throw new TemplateFailure("wrong type for value; expected time.Time")
  return time
}

const nanosArg = (value: unknown): bigint => {
  const number = value instanceof Struct ? value.behaviour.number : value
  if (typeof number === "bigint") return number
  if (typeof number === "number" && Number.isInteger(number)) return BigInt(number)
  throw new TemplateFailure("wrong type for value; expected time.Duration")
}

/** A `time.Time`. */
export const timeView = (time: GoTime): Struct => {
  const part = (layout: string) => () => Number(formatTime(time, layout))
  const at = (nanos: bigint) => timeView({ ...time, nanos })
  const text = () => formatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST")
  const view: Struct = new Struct("time.Time", {}, {
    string: text,
    json: () => jsonString(formatTime(time, rfc3339Nano)),
    methods: {
      String: text,
      Format: (layout: unknown) => formatTime(time, stringArg(layout)),
      Unix: () => floorDiv(time.nanos, 1_000_000_000n),
      UnixMilli: () => floorDiv(time.nanos, 1_000_000n),
      UnixMicro: () => floorDiv(time.nanos, 1_000n),
      UnixNano: () => time.nanos,
      UTC: () => timeView({ nanos: time.nanos, offset: 0, zone: "UTC" }),
      Local: () => timeView({ nanos: time.nanos, offset: 0, zone: "UTC" }),
      Year: part("2006"),
      Month: () => namedNumber("time.Month", formatTime(time, "January"), part("1")()),
      Day: part("2"),
      YearDay: part("002"),
      Weekday: () => namedNumber("time.Weekday", formatTime(time, "Monday"), weekday(time)),
      Hour: part("15"),
      Minute: part("4"),
      Second: part("5"),
      Nanosecond: () => Number(((time.nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n),
      IsZero: () => time.nanos === zeroTime.nanos,
      Before: (other: unknown) => time.nanos < timeArg(other).nanos,
      After: (other: unknown) => time.nanos > timeArg(other).nanos,
      Equal: (other: unknown) => time.nanos === timeArg(other).nanos,
      Compare: (other: unknown) => {
        const { nanos } = timeArg(other)
        return time.nanos < nanos ? -1 : time.nanos > nanos ? 1 : 0
      },
      Add: (duration: unknown) => at(time.nanos + nanosArg(duration)),
      Sub: (other: unknown) => durationView(time.nanos - timeArg(other).nanos),
      Truncate: (duration: unknown) => {
        const unit = nanosArg(duration)
        const since = time.nanos - zeroTime.nanos
        return at(unit <= 0n ? time.nanos : time.nanos - since % unit)
      },
      AddDate: (years: unknown, months: unknown, days: unknown) =>
        at(addDate(time, Number(nanosArg(years)), Number(nanosArg(months)), Number(nanosArg(days))))
    }
  })
  known.set(view, time)
  return view
}

const floorDiv = (value: bigint, by: bigint): bigint => {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}

const weekday = ({ nanos, offset }: GoTime): number => {
  const day = floorDiv(nanos + BigInt(offset) * 1_000_000_000n, 86_400_000_000_000n)
  return Number((((day + 4n) % 7n) + 7n) % 7n)
}

const addDate = ({ nanos, offset }: GoTime, years: number, months: number, days: number): bigint => {
  const local = nanos + BigInt(offset) * 1_000_000_000n
  const milliseconds = floorDiv(local, 1_000_000n)
  const date = new Date(Number(milliseconds))
  date.setUTCFullYear(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days)
  return nanos + (BigInt(date.getTime()) - milliseconds) * 1_000_000n
}

/** What the template function `time` gives; `now` is milliseconds since 1970. */
export const timeFunctions = (now: () => number): Struct =>
  new Struct("template.TimeFuncs", {}, {
    methods: {
      Now: () => timeView(utcTime(now())),
      Parse: (layout: unknown, text: unknown) => {
        const parsed = parseTime(stringArg(layout), stringArg(text))
        if ("problem" in parsed) throw new TemplateFailure(parsed.problem)
        return timeView(parsed.time)
      }
    }
  })
