/**
 * Go's time as templates see it: an instant in nanoseconds with an offset, printed and read by layouts such as
 * `2006-01-02T15:04:05Z07:00`. Years 0 to 9999.
 */
import { days, months } from "./calendarNames.ts"

export interface GoTime {
  /** Since 1970 in UTC. */
  readonly nanos: bigint
  /** Seconds east of UTC. */
  readonly offset: number
  /** The zone's name; empty for one known by its offset alone. */
  readonly zone: string
}

export const rfc3339Nano = "2006-01-02T15:04:05.999999999Z07:00"

/** Go's zero time, 1 January of the year 1. */
export const zeroTime: GoTime = { nanos: -62_135_596_800_000_000_000n, offset: 0, zone: "UTC" }

/** A time of so many milliseconds since 1970, in UTC. */
export const utcTime = (milliseconds: number): GoTime => ({
  nanos: BigInt(Math.round(milliseconds * 1e6)),
  offset: 0,
  zone: "UTC"
})

const parts =
  /January|Jan|Monday|Mon|MST|2006|__2|002|01|02|03|04|05|06|15|PM|pm|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|_2(?!006)|[12345]/g

const civil = ({ nanos, offset }: GoTime) => {
  const local = nanos + BigInt(offset) * 1_000_000_000n
  const fraction = ((local % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((local - fraction) / 1_000_000n))
  const yearDay = Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000) + 1
  return { date, fraction: Number(fraction), yearDay }
}

const two = (value: number): string => String(value).padStart(2, "0")

const zoneText = (offset: number, part: string): string => {
  if (part.startsWith("Z") && offset === 0) return "Z"
  const size = Math.abs(offset)
  const [hours, minutes, seconds] = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60]
  const colon = part.includes(":") ? ":" : ""
  const digits = part.replace(/[^0-9]/g, "").length
  return (offset < 0 ? "-" : "+") + two(hours) + (digits > 2 ? colon + two(minutes) : "") +
    (digits > 4 ? colon + two(seconds) : "")
}

/** Prints by a layout (`time.Format`). */
export const formatTime = (time: GoTime, layout: string): string => {
  const { date, fraction, yearDay } = civil(time)
  const month = months[date.getUTCMonth()] ?? ""
  const day = days[date.getUTCDay()] ?? ""
  const hour = date.getUTCHours()
  return layout.replace(parts, (part) => {
    switch (part) {
      case "2006":
        return String(date.getUTCFullYear()).padStart(4, "0")
      case "06":
        return two(date.getUTCFullYear() % 100)
      case "January":
        return month
      case "Jan":
        return month.slice(0, 3)
      case "01":
        return two(date.getUTCMonth() + 1)
      case "1":
        return String(date.getUTCMonth() + 1)
      case "Monday":
        return day
      case "Mon":
        return day.slice(0, 3)
      case "02":
        return two(date.getUTCDate())
      case "_2":
        return String(date.getUTCDate()).padStart(2)
      case "2":
        return String(date.getUTCDate())
      case "002":
        return String(yearDay).padStart(3, "0")
      case "__2":
        return String(yearDay).padStart(3)
      case "15":
        return two(hour)
      case "03":
        return two(hour % 12 === 0 ? 12 : hour % 12)
      case "3":
        return String(hour % 12 === 0 ? 12 : hour % 12)
      case "04":
        return two(date.getUTCMinutes())
      case "4":
        return String(date.getUTCMinutes())
      case "05":
        return two(date.getUTCSeconds())
      case "5":
        return String(date.getUTCSeconds())
      case "PM":
        return hour < 12 ? "AM" : "PM"
      case "pm":
        return hour < 12 ? "am" : "pm"
      case "MST":
        return time.zone === "" ? zoneText(time.offset, "-0700") : time.zone
      default:
        return /^[.,]/.test(part) ? fractionText(fraction, part) : zoneText(time.offset, part)
    }
  })
}

const fractionText = (nanos: number, part: string): string => {
  const digits = String(nanos).padStart(9, "0").slice(0, part.length - 1)
  if (part[1] === "0") return part[0] + digits
  const kept = digits.replace(/0+$/, "")
  return kept === "" ? "" : part[0] + kept
}

export type ParsedTime = { readonly time: GoTime } | { readonly problem: string }

interface Reading {
  year: number
  month: number
  day: number
  yearDay: number
  hour: number
  minute: number
  second: number
  nanos: number
  isAfternoon: boolean | undefined
  offset: number | undefined
  zone: string
}

/** Reads by a layout (`time.Parse`); the problem in Go's words. */
export const parseTime = (layout: string, text: string): ParsedTime => {
  const read: Reading = {
    year: 0,
    month: 1,
    day: 1,
    yearDay: 0,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    isAfternoon: undefined,
    offset: undefined,
    zone: ""
  }
  const problem = (rest: string, part: string): ParsedTime => ({
    problem: `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${
      JSON.stringify(rest)
    } as ${JSON.stringify(part)}`
  })
  const outside = (what: string): ParsedTime => ({
    problem: `parsing time ${JSON.stringify(text)}: ${what} out of range`
  })
  let rest = text
  let from = 0
  for (const match of layout.matchAll(parts)) {
    const prefix = layout.slice(from, match.index)
    if (!rest.startsWith(prefix)) return problem(rest, prefix)
    rest = rest.slice(prefix.length)
    from = match.index + match[0].length
    const taken = readPart(read, match[0], rest)
    if (taken === undefined) return problem(rest, match[0])
    rest = rest.slice(taken)
    // A fraction of a second may follow though the layout names none.
    const fraction = /^[.,](\d+)/.exec(rest)
    if ((match[0] === "05" || match[0] === "5") && fraction !== null && !/^[.,][09]/.test(layout.slice(from))) {
      readPart(read, ".9", rest)
      rest = rest.slice(fraction[0].length)
    }
  }
  const suffix = layout.slice(from)
  if (!rest.startsWith(suffix)) return problem(rest, suffix)
  rest = rest.slice(suffix.length)
  if (rest !== "") return { problem: `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}` }
  if (read.isAfternoon === true && read.hour < 12) read.hour += 12
  if (read.isAfternoon === false && read.hour === 12) read.hour = 0
  if (read.month < 1 || read.month > 12) return outside("month")
  if (read.hour > 23) return outside("hour")
  if (read.minute > 59) return outside("minute")
  if (read.second > 59) return outside("second")
  if (read.day < 1 || read.day > new Date(Date.UTC(2000 + (read.year % 400), read.month, 0)).getUTCDate())
    return outside("day")
  return { time: assemble(read) }
}

const assemble = (read: Reading): GoTime => {
  const date = new Date(0)
  date.setUTCFullYear(read.year, read.yearDay > 0 ? 0 : read.month - 1, read.yearDay > 0 ? read.yearDay : read.day)
  date.setUTCHours(read.hour, read.minute, read.second)
  const offset = read.offset ?? 0
  const zone = read.zone !== "" ? read.zone : offset === 0 ? "UTC" : ""
  return {
    nanos: (BigInt(date.getTime()) * 1_000_000n) + BigInt(read.nanos) - BigInt(offset) * 1_000_000_000n,
    offset,
    zone
  }
}

/** Takes one part of a layout from the text: how many characters it took, `undefined` when it does not fit. */
const readPart = (read: Reading, part: string, text: string): number | undefined => {
  const number = (form: RegExp, set: (value: number) => void): number | undefined => {
    const found = form.exec(text)
    if (found === null) return undefined
    set(Number(found[0]))
    return found[0].length
  }
  const name = (names: ReadonlyArray<string>, set: (at: number) => void): number | undefined => {
    const at = names.findIndex((it) => text.toLowerCase().startsWith(it.toLowerCase()))
    if (at < 0) return undefined
    set(at)
    return names[at]?.length
  }
  const short = (names: ReadonlyArray<string>) => names.map((it) => it.slice(0, 3))
  switch (part) {
    case "2006":
      return number(/^\d{4}/, (it) => read.year = it)
    case "06":
      return number(/^\d{2}/, (it) => read.year = it + (it >= 69 ? 1900 : 2000))
    case "January":
      return name(months, (it) => read.month = it + 1)
    case "Jan":
      return name(short(months), (it) => read.month = it + 1)
    case "Monday":
      return name(days, () => undefined)
    case "Mon":
      return name(short(days), () => undefined)
    case "01":
      return number(/^\d{2}/, (it) => read.month = it)
    case "1":
      return number(/^\d{1,2}/, (it) => read.month = it)
    case "02":
      return number(/^\d{2}/, (it) => read.day = it)
    case "_2":
    case "2":
      return number(part === "2" ? /^\d{1,2}/ : /^ ?\d{1,2}/, (it) => read.day = it)
    case "002":
    case "__2":
      return number(/^[ \d]{2}\d/, (it) => read.yearDay = it)
    case "15":
    case "03":
      return number(/^\d{2}/, (it) => read.hour = it)
    case "3":
      return number(/^\d{1,2}/, (it) => read.hour = it)
    case "04":
      return number(/^\d{2}/, (it) => read.minute = it)
    case "4":
      return number(/^\d{1,2}/, (it) => read.minute = it)
    case "05":
      return number(/^\d{2}/, (it) => read.second = it)
    case "5":
      return number(/^\d{1,2}/, (it) => read.second = it)
    case "PM":
    case "pm":
      return name(part === "PM" ? ["AM", "PM"] : ["am", "pm"], (it) => read.isAfternoon = it === 1)
    case "MST": {
      const zone = /^(?:[A-Z]{3,5}|[+-]\d{2})/.exec(text)?.[0]
      if (zone === undefined) return undefined
      read.zone = zone
      read.offset ??= 0
      return zone.length
    }
    default:
      return /^[.,]/.test(part) ? readFraction(read, part, text) : readZone(read, part, text)
  }
}

const readFraction = (read: Reading, part: string, text: string): number | undefined => {
  const found = (part[1] === "0" ? new RegExp(`^[.,](\\d{${part.length - 1}})`) : /^[.,](\d+)/).exec(text)
  if (found === null) return part[1] === "9" ? 0 : undefined
  read.nanos = Number((found[1] ?? "").slice(0, 9).padEnd(9, "0"))
  return found[0].length
}

const readZone = (read: Reading, part: string, text: string): number | undefined => {
  if (part.startsWith("Z") && text.startsWith("Z")) {
    read.offset = 0
    read.zone = "UTC"
    return 1
  }
  const digits = part.replace(/[^0-9]/g, "").length / 2
  const colon = part.includes(":") ? ":" : ""
  const found = new RegExp(`^([+-])(\\d{2})${`${colon}(\\d{2})`.repeat(digits - 1)}`).exec(text)
  if (found === null) return undefined
  const size = Number(found[2]) * 3600 + Number(found[3] ?? 0) * 60 + Number(found[4] ?? 0)
  if (Number(found[2]) > 24 || Number(found[3] ?? 0) > 59) return undefined
  read.offset = found[1] === "-" ? -size : size
  return found[0].length
}
