/** What the project promises of its speed, each promise beside the figure that was found. */
import { distinctBlobs, possibleMounts } from "./cases/shared.ts"
import { bare, single } from "./cases/startUp.ts"
import type { Row } from "./measure.ts"
import { markdown } from "./table.ts"

interface Budget {
  readonly what: string
  readonly wanted: string
  /** Nothing where the case or the peer was left out. */
  readonly found: number | undefined
  readonly isMet: (found: number) => boolean
  readonly digits?: number
}

type Find = (key: string, name?: string) => Row | undefined

const most = (limit: number) => ({ wanted: `≤ ${limit.toFixed(2)}`, isMet: (it: number) => it <= limit })
const least = (limit: number) => ({ wanted: `≥ ${limit.toFixed(2)}`, isMet: (it: number) => it >= limit })
const exactly = (count: number) => ({ wanted: String(count), isMet: (it: number) => it === count, digits: 0 })
const noMore = (count: number) => ({ wanted: `≤ ${count}`, isMet: (it: number) => it <= count, digits: 0 })

/** The number a title begins with; the usual one where there is no row. */
const numberIn = (row: Row | undefined, usual: number): number => Number.parseInt(row?.title ?? String(usual), 10)

const againstSkopeo = (find: Find): ReadonlyArray<Budget> => {
  const limits = [
    ["large", "one layer of 1 GiB", 0.4, 0.85],
    ["directory", "one layer of 1 GiB, to a directory", 0.42, 0.45],
    ["many", "200 layers of 50 KiB", 0.35, 0.6],
    ["again", "200 layers, up to date", undefined, 0.15],
    ["latency", "20 layers, 30 ms", undefined, 0.6]
  ] as const
  return limits.flatMap(([key, said, cpu, wall]) => {
    const { ratio, title = said } = find(key, key === "directory" ? "skopeo dir:" : "skopeo") ?? {}
    return [
      ...(cpu === undefined ? [] : [{ what: `${title}: CPU / skopeo's`, found: ratio?.cpu, ...most(cpu) }]),
      { what: `${title}: wall / skopeo's`, found: ratio?.wall, ...most(wall) }
    ]
  })
}

/** L small layers: one question, a read and three requests for each of L+1 blobs and the manifest; large ones: one HEAD more. */
const requests = (find: Find): ReadonlyArray<Budget> => {
  const of = (key: string) => find(key)?.counts?.requests
  const checked = numberIn(find("tags"), 2000)
  return [
    { what: "200 layers of 50 KiB: requests", found: of("many"), ...exactly(3 * 200 + 6) },
    { what: "200 layers, up to date: requests", found: of("again"), ...exactly(2) },
    { what: "one layer of 16 MiB: requests", found: of("large"), ...exactly(3 + 6 + 1) },
    { what: "20 layers of up to 1 MiB: requests", found: of("latency"), ...exactly(3 * 20 + 6) },
    { what: `${checked} tags, up to date: requests`, found: of("tags"), ...exactly(2 * checked + 1) }
  ]
}

const sharing = (find: Find, rows: ReadonlyArray<Row>): ReadonlyArray<Budget> => {
  const ours = find("shared")
  const images = numberIn(ours, 50)
  const walls = rows.filter((it) => it.key === "shared" && it !== ours).map((it) => it.ratio.wall)
  return [
    { what: `${images} images: uploads`, found: ours?.counts?.uploads, ...noMore(distinctBlobs(images)) },
    { what: `${images} images: mounts`, found: ours?.counts?.mounts, ...exactly(possibleMounts) },
    {
      what: `${images} images: wall / that of the fastest peer`,
      found: walls.length === 0 ? undefined : Math.max(...walls),
      ...most(1)
    }
  ]
}

const starting = (find: Find): ReadonlyArray<Budget> =>
  ([["version", 2.6, 1.9], ["tag ls", 3.2, 2.6]] as const).flatMap(([key, packaged, alone]) => {
    const node = find(key, bare)?.median.wall
    const ratio = (row: Row | undefined) => row === undefined || node === undefined ? undefined : row.median.wall / node
    return [
      { what: `${key}: wall / bare node's`, found: ratio(find(key)), ...most(packaged) },
      { what: `${key}, single executable: wall / bare node's`, found: ratio(find(key, single)), ...most(alone) }
    ]
  })

/** A ratio of times as one of rates. */
const inverse = (ratio: number | undefined): number | undefined => ratio === undefined ? undefined : 1 / ratio

/** A section with a table of all budgets, or of those that were measured, if any: wanted, found, met or not. */
export const verdicts = (rows: ReadonlyArray<Row>, isAll: boolean): ReadonlyArray<string> => {
  const find: Find = (key, name) => rows.find((it) => it.key === key && (name === undefined || it.name === name))
  const [ab, cold] = [find("heads", "ab"), find("heads", "our client, first")]
  const four = find("memory")
  const inTurn = find("latency-tags", "one request after the other")
  const budgets: ReadonlyArray<Budget> = [
    ...againstSkopeo(find),
    {
      what: "HEADs a second / ab's, first 2,000",
      found: ab && cold && ab.median.wall / cold.median.wall,
      ...least(0.8)
    },
    { what: "HEADs a second / ab's, warm", found: inverse(ab?.ratio.wall), ...least(0.8) },
    { what: `${four?.title ?? "four layers of 1 GiB"}: peak MiB`, found: four?.median.peak, ...noMore(120) },
    ...requests(find),
    ...sharing(find, rows),
    { what: "tags, 30 ms: rate / one request after the other's", found: inverse(inTurn?.ratio.wall), ...least(5) },
    ...starting(find)
  ]
  const told = budgets.filter((it) => isAll || it.found !== undefined)
  if (told.length === 0) return []
  const lines = told.map(({ digits = 2, found, isMet, wanted, what }) => [
    what,
    wanted,
    found === undefined ? "–" : found.toFixed(digits),
    found === undefined ? "not measured" : isMet(found) ? "yes" : "no"
  ])
  return ["## Against the budgets", markdown(["budget", "wanted", "found", "met"], lines)]
}
