/**
 * Timetables: five fields of cron, its names for usual ones, `@every`, each with a time zone (regsync description, 10.5).
 * A time in an hour that is skipped does not come that day, one in an hour that is repeated comes twice.
 */
import { parseGoDuration } from "./goDuration.ts"

export interface Timetable {
  /** The next time after one, both in milliseconds since 1970; none when there is none within five years. */
  readonly next: (after: number) => number | undefined
}

interface Field {
  /** Bit n stands for the value n. */
  readonly values: ReadonlySet<number>
  /** Every value, however it was written: it asks nothing. */
  readonly isOpen: boolean
}

interface Range {
  readonly low: number
  readonly high: number
  readonly names?: ReadonlyArray<string>
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ")
const days = "sun mon tue wed thu fri sat".split(" ")
const ranges: readonly [Range, Range, Range, Range, Range] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: months },
  { low: 0, high: 6, names: days }
]

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

class Problem extends Error {}

const valueOf = (text: string, { high, low, names }: Range, expression: string): number => {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + low
  if (!/^[0-9]{1,9}$/.test(text)) throw new Problem(`failed to parse int from ${text}: ${expression}`)
  const value = Number(text)
  if (value < low) throw new Problem(`beginning of range (${value}) below minimum (${low}): ${expression}`)
  if (value > high) {
    const hint = names === days && value === 7 ? " (Sunday is 0)" : ""
    throw new Problem(`end of range (${value}) above maximum (${high}): ${expression}${hint}`)
  }
  return value
}

const partOf = (expression: string, range: Range): ReadonlyArray<number> => {
  const [span = "", step, ...more] = expression.split("/")
  const [from = "", to, ...rest] = span.split("-")
  if (more.length > 0) throw new Problem(`too many slashes: ${expression}`)
  if (rest.length > 0) throw new Problem(`too many hyphens: ${expression}`)
  const isAny = span === "*" || span === "?"
  const start = isAny ? range.low : valueOf(from, range, expression)
  const single = step === undefined ? start : range.high
  const end = isAny ? range.high : to === undefined ? single : valueOf(to, range, expression)
  if (step !== undefined && !/^[0-9]{1,9}$/.test(step))
    throw new Problem(`failed to parse int from ${step}: ${expression}`)
  const distance = step === undefined ? 1 : Number(step)
  if (distance === 0) throw new Problem(`step of range should be a positive number: ${expression}`)
  if (start > end) throw new Problem(`beginning of range (${start}) beyond end of range (${end}): ${expression}`)
  return Array.from({ length: Math.floor((end - start) / distance) + 1 }, (_, at) => start + at * distance)
}

const fieldOf = (text: string, range: Range): Field => {
  const parts = text.split(",")
  return {
    values: new Set(parts.flatMap((part) => partOf(part, range))),
    isOpen: parts.some((part) => /^[*?](\/0*1)?$/.test(part))
  }
}

interface Wall {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

type WallClock = (time: number) => Wall

/** By zone: a formatter is slow to make and holds tens of kilobytes, and thousands of timetables are of few zones. */
const clocks = new Map<string, WallClock>()

const clockOf = (zone: string | undefined): WallClock => {
  // In any case a name is the same zone.
  const key = zone?.toLowerCase() ?? ""
  const known = clocks.get(key)
  if (known !== undefined) return known
  const clock = makeClock(zone)
  clocks.set(key, clock)
  return clock
}

/** What a clock on the wall shows in a zone. */
const makeClock = (zone: string | undefined): WallClock => {
  const format = new Intl.DateTimeFormat("en-US", {
    ...(zone === undefined ? {} : { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric"
  })
  return (time) => {
    const found: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(time)) found[type] = Number(value)
    const { day = 1, hour = 0, minute = 0, month = 1, year = 1970 } = found
    return { year, month, day, hour, minute }
  }
}

const minute = 60_000
/** No zone is further from UTC, by wall or by turned clocks. */
const maxOffset = 16 * 60 * minute
const day = 24 * 60 * minute

/** Times at which a zone's wall shows this: none in a skipped hour, two in a repeated one. */
const timesOf = (clock: WallClock, wall: Wall): ReadonlyArray<number> => {
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute)
  const offsets = new Set([asUtc - day, asUtc + day].map((time) => {
    const there = clock(time)
    return Date.UTC(there.year, there.month - 1, there.day, there.hour, there.minute) -
      Math.floor(time / minute) * minute
  }))
  return [...offsets].map((offset) => asUtc - offset).filter((time) => {
    const there = clock(time)
    return there.hour === wall.hour && there.minute === wall.minute && there.day === wall.day
  }).toSorted((a, b) => a - b)
}

const cron = (text: string, zone: string | undefined): Timetable => {
  const texts = text.split(/\s+/).filter((it) => it !== "")
  if (texts.length !== 5) {
    throw new Problem(`expected exactly 5 fields, found ${texts.length}: [${texts.join(" ")}]`)
  }
  const [minutes, hours, monthDays, inMonths, weekDays] = ranges.map((range, at) => fieldOf(texts[at] ?? "", range))
  if (!minutes || !hours || !monthDays || !inMonths || !weekDays) throw new Problem("no field")
  const clock = clockOf(zone)
  const isDay = (year: number, month: number, date: number): boolean => {
    if (!inMonths.values.has(month)) return false
    const inMonth = monthDays.values.has(date)
    const inWeek = weekDays.values.has(new Date(Date.UTC(year, month - 1, date)).getUTCDay())
    return monthDays.isOpen || weekDays.isOpen ? inMonth && inWeek : inMonth || inWeek
  }
  const inOrder = ({ values }: Field) => [...values].toSorted((a, b) => a - b)
  const walls = inOrder(hours).flatMap((hour) => inOrder(minutes).map((minute) => ({ hour, minute })))
  /** The first time of a day after one; where clocks are turned, later on the wall can be earlier. */
  const firstOf = (year: number, month: number, day: number, after: number): number | undefined => {
    let best: number | undefined
    const latest = after - maxOffset
    for (const wall of walls) {
      if (Date.UTC(year, month - 1, day, wall.hour, wall.minute) < latest) continue // long past in every zone
      for (const time of timesOf(clock, { year, month, day, ...wall })) {
        if (time > after && (best === undefined || time < best)) best = time
      }
      if (best !== undefined && !isNearChange(clock, best)) return best
    }
    return best
  }
  return {
    next: (after) => {
      const begin = clock(after)
      // The day of the clock on the wall and the days behind it, as dates without a zone.
      for (let at = 0; at <= 5 * 366; at++) {
        const date = new Date(Date.UTC(begin.year, begin.month - 1, begin.day + at))
        const [year, month, number] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
        if (!isDay(year, month, number)) continue
        const best = firstOf(year, month, number, after)
        if (best !== undefined) return best
      }
      return undefined
    }
  }
}

/** Whether clocks are turned within a few hours: only then a later hour on the wall can be an earlier time. */
const isNearChange = (clock: WallClock, time: number): boolean => {
  const shown = [time - 3 * 60 * minute, time + 3 * 60 * minute].map((it) => {
    const { day: date, hour, minute: past } = clock(it)
    return { date, hour, past }
  })
  const [before, behind] = shown
  if (before === undefined || behind === undefined) return false
  const passed = (behind.hour * 60 + behind.past - before.hour * 60 - before.past + 1440) % 1440
  return passed !== 360
}

const every = (text: string): Timetable => {
  const duration = parseGoDuration(text)
  if (duration === undefined) throw new Problem(`failed to parse duration @every ${text}`)
  const period = Math.max(1_000, Math.floor(duration / 1_000) * 1_000)
  return { next: (after) => Math.floor(after / 1_000) * 1_000 + period }
}

/** Reads `30 4 * * 1-5`, `@daily`, `@every 1h`, with `TZ=Area/City ` in front if wanted; else times are those of `zone`. */
export const parseTimetable = (
  text: string,
  zone?: string
): { readonly timetable: Timetable } | { readonly problem: string } => {
  const prefix = /^(?:CRON_)?TZ=(\S*)(\s*)(.*)$/s.exec(text)
  try {
    if (text === "") throw new Problem("empty spec string")
    if (prefix === null) return { timetable: parse(text, zone) }
    const [, name = "", space, rest = ""] = prefix
    if (space === "") throw new Problem(`no schedule behind the time zone in ${text}`)
    if (!isZone(name)) throw new Problem(`provided bad location ${name}: unknown time zone ${name}`)
    return { timetable: parse(rest.trim(), name === "Local" ? zone : name === "" ? "UTC" : name) }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message }
    throw error
  }
}

const parse = (text: string, zone: string | undefined): Timetable => {
  if (!text.startsWith("@")) return cron(text, zone)
  const macro = Object.hasOwn(macros, text) ? macros[text] : undefined
  if (macro !== undefined) return cron(macro, zone)
  if (text.startsWith("@every ")) return every(text.slice(7))
  throw new Problem(`unrecognized descriptor: ${text}`)
}

const isZone = (name: string): boolean => {
  if (name === "" || name === "Local") return true
  try {
    clockOf(name)
    return true
  } catch {
    return false
  }
}
