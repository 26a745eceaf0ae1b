/** `os.date` and `os.time`: instants as texts and fields, with the rules of C (regbot description, 14.3). */
import { days, months } from "../calendarNames.ts"
import type { LocalTime } from "./localTime.ts"

/** An instant as a calendar and a clock show it. */
export interface Fields {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly min: number
  readonly sec: number
  /** 1 is Sunday. */
  readonly wday: number
  /** From 1. */
  readonly yday: number
  readonly isdst: boolean
}

/** Seconds since 1970 that have a date at all. */
export const isDated = (seconds: number): boolean => Math.abs(seconds) <= 8.64e12 - 86_400

export const fieldsOf = (seconds: number, zone: LocalTime): Fields => {
  const instant = seconds * 1000
  const local = new Date(instant + zone.offsetAt(instant) * 1000)
  const first = new Date(local)
  first.setUTCMonth(0, 1)
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    min: local.getUTCMinutes(),
    sec: local.getUTCSeconds(),
    wday: local.getUTCDay() + 1,
    yday: Math.round((local.getTime() - first.getTime()) / 86_400_000) + 1,
    isdst: zone.isSummerAt(instant)
  }
}

const padded = (value: number, width = 2, filler = "0"): string => String(value).padStart(width, filler)

const offsetText = (offset: number): string => {
  const minutes = Math.floor(Math.abs(offset) / 60)
  return `${offset < 0 ? "-" : "+"}${padded(Math.floor(minutes / 60))}${padded(minutes % 60)}`
}

/** Each date by its letter; letters that are not here stand for themselves. */
const specifiers: Readonly<Record<string, (fields: Fields, instant: number, zone: LocalTime) => string>> = {
  a: ({ wday }) => (days[wday - 1] ?? "").slice(0, 3),
  A: ({ wday }) => days[wday - 1] ?? "",
  b: ({ month }) => (months[month - 1] ?? "").slice(0, 3),
  B: ({ month }) => months[month - 1] ?? "",
  d: ({ day }) => padded(day),
  e: ({ day }) => padded(day, 2, " "),
  H: ({ hour }) => padded(hour),
  I: ({ hour }) => padded((hour + 11) % 12 + 1),
  j: ({ yday }) => padded(yday, 3),
  m: ({ month }) => padded(month),
  M: ({ min }) => padded(min),
  n: () => "\n",
  p: ({ hour }) => hour < 12 ? "AM" : "PM",
  P: ({ hour }) => hour < 12 ? "am" : "pm",
  S: ({ sec }) => padded(sec),
  t: () => "\t",
  U: ({ wday, yday }) => padded(Math.floor((yday - wday + 7) / 7)),
  w: ({ wday }) => String(wday - 1),
  y: ({ year }) => padded((year % 100 + 100) % 100),
  Y: ({ year }) => String(year),
  z: (_fields, instant, zone) => offsetText(zone.offsetAt(instant)),
  Z: (_fields, instant, zone) => zone.nameAt(instant),
  "%": () => "%"
}

/** Those that are made of others. */
const compounds: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S"
}

/** `strftime`, letter by letter; what is between is left as it is. */
export const dateText = (format: string, seconds: number, zone: LocalTime): string => {
  const fields = fieldsOf(seconds, zone)
  const single = (text: string): string =>
    text.replace(/%([^])/g, (whole, letter: string) => specifiers[letter]?.(fields, seconds * 1000, zone) ?? whole)
  return single(format.replace(/%([^])/g, (whole, letter: string) => compounds[letter] ?? whole))
}

/** What `os.time` is given: fields may be out of their range. */
export interface Moment {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly min: number
  readonly sec: number
  /** Which of two is meant where a clock shows one time twice. */
  readonly isdst?: boolean
}

/** Seconds since 1970 of a local time; NaN when there is none. A time that is skipped is that after the gap. */
export const secondsOf = ({ year, month, day, hour, min, sec, isdst }: Moment, zone: LocalTime): number => {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, min, sec)
  const local = date.getTime()
  if (Number.isNaN(local) || !isDated(local / 1000)) return NaN
  // The offset of the instant decides; those of a day before and after are the only ones it can be.
  const candidates = [local - 86_400_000, local + 86_400_000].map((near) => local - zone.offsetAt(near) * 1000)
  const fitting = candidates.filter((instant) => instant + zone.offsetAt(instant) * 1000 === local)
  const chosen = fitting.find((instant) => isdst !== undefined && zone.isSummerAt(instant) === isdst)
  return (chosen ?? fitting[0] ?? candidates[0] ?? local) / 1000
}
