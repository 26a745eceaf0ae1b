/** Local time of any zone, with the abbreviations that its file has: what `os.date` and `os.time` need. */
import { readFileSync } from "node:fs"

export interface LocalTime {
  /** Seconds east of UTC at an instant, which is in milliseconds since 1970. */
  readonly offsetAt: (instant: number) => number
  /** `CEST`; a zone without such names shows its offset. */
  readonly nameAt: (instant: number) => string
  readonly isSummerAt: (instant: number) => boolean
}

export const utc: LocalTime = { offsetAt: () => 0, nameAt: () => "UTC", isSummerAt: () => false }

const secondsOf = (text: string): number => {
  const [, sign, hours, minutes, seconds] = /([-+])(\d+)(?::(\d+))?(?::(\d+))?/.exec(text) ?? []
  const size = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
  return sign === "-" ? -size : size
}

/** The names at the end of the zone's file, in the form of POSIX: `CET-1CEST,…`; by their seconds east of UTC. */
const namesOf = (zone: string): ReadonlyMap<number, string> => {
  const names = new Map<number, string>()
  let rule: string
  try {
    rule = readFileSync(`/usr/share/zoneinfo/${zone}`).toString("latin1").trimEnd().split("\n").at(-1) ?? ""
  } catch {
    // A machine without zone files: the names that Intl knows have to do.
    return names
  }
  const found = /^(<[^>]+>|[A-Za-z]+)([-+]?[\d:]+)(?:(<[^>]+>|[A-Za-z]+)([-+]?[\d:]+)?)?/.exec(rule)
  const [, standard, west = "0", summer, summerWest] = found ?? []
  if (standard === undefined) return names
  // POSIX counts to the west, and takes an hour for granted in summer.
  const offset = -secondsOf(west.replace(/^(?=\d)/, "+"))
  names.set(offset, standard.replace(/[<>]/g, ""))
  const summerOffset = summerWest === undefined ? offset + 3600 : -secondsOf(summerWest.replace(/^(?=\d)/, "+"))
  if (summer !== undefined) names.set(summerOffset, summer.replace(/[<>]/g, ""))
  return names
}

const zoneFormat = (zone: string, style: "longOffset" | "short"): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: style, year: "numeric" })

const nameIn = (format: Intl.DateTimeFormat, instant: number): string =>
  format.formatToParts(instant).find(({ type }) => type === "timeZoneName")?.value ?? ""

const inZone = (zone: string): LocalTime => {
  const offsets = zoneFormat(zone, "longOffset")
  let names: ReadonlyMap<number, string> | undefined
  let short: Intl.DateTimeFormat | undefined
  const offsetAt = (instant: number): number => secondsOf(nameIn(offsets, instant))
  const nameAt = (instant: number): string => {
    const offset = offsetAt(instant)
    names ??= namesOf(zone)
    const known = names.get(offset)
    if (known !== undefined) return known
    short ??= zoneFormat(zone, "short")
    return nameIn(short, instant).replace(/^GMT(?=.)/, "").replace(/^([-+])(\d)(?!\d)/, "$10$2")
  }
  const isSummerAt = (instant: number): boolean => {
    const year = new Date(instant).getUTCFullYear()
    return offsetAt(instant) > Math.min(...[0, 6].map((month) => offsetAt(Date.UTC(year, month, 1))))
  }
  return { offsetAt, nameAt, isSummerAt }
}

const zones = new Map<string, LocalTime>()

/** The zone that `TZ` names; that of the machine without it; UTC when there is none of that name. */
export const localTime = (variable: string | undefined): LocalTime => {
  const given = variable?.replace(/^:/, "").replace(/^\/usr\/share\/zoneinfo\//, "")
  if (given === "" || given === "UTC") return utc
  const key = given ?? ""
  const known = zones.get(key)
  if (known !== undefined) return known
  let zone = utc
  try {
    const name = given ?? new Intl.DateTimeFormat().resolvedOptions().timeZone
    zone = name === "UTC" ? utc : inZone(name)
  } catch {
    // Intl knows no such zone: as other tools do, UTC.
  }
  // A script may try any number of names.
  if (zones.size >= 100) zones.clear()
  zones.set(key, zone)
  return zone
}
