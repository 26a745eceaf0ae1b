/** Who goes next: the rule by which waiting requests are admitted, as a function of what waits and what runs. */
import type { Demand } from "../RateLimiter.ts"

export interface Waiting {
  readonly hosts: ReadonlyArray<string>
  readonly demand: Demand
}

/** What one host has on its way. */
export type Running = ReadonlyArray<Demand>

/** Bytes up to which something that is no blob counts as small. */
const smallest = 4 * 1024 * 1024

const isSmall = ({ kind, size }: Demand): boolean => kind !== "blob" && size <= smallest

const rank = { head: 0, manifest: 1, query: 2, blob: 3 } as const

/**
 * The index of the request to admit, of those that find a free place at each of their hosts, oldest first. A small one
 * goes when none runs at its hosts, `HEAD` before manifest before the rest; every other place prefers the biggest blob;
 * else the oldest goes (library description, section 8.4).
 */
export const choose = (
  waiting: ReadonlyArray<Waiting>,
  running: (host: string) => Running
): number | undefined => {
  let small: number | undefined
  let big: number | undefined
  waiting.forEach(({ demand, hosts }, index) => {
    if (isSmall(demand) && !hosts.some((host) => running(host).some(isSmall))) {
      if (small === undefined || rank[demand.kind] < rank[kindOf(waiting, small)]) small = index
    }
    const isOdd = hosts.some((host) => running(host).length % 2 === 1)
    if (demand.kind === "blob" && isOdd && (big === undefined || demand.size > sizeOf(waiting, big))) big = index
  })
  return small ?? big ?? (waiting.length === 0 ? undefined : 0)
}

const kindOf = (waiting: ReadonlyArray<Waiting>, index: number): Demand["kind"] => waiting[index]?.demand.kind ?? "blob"

const sizeOf = (waiting: ReadonlyArray<Waiting>, index: number): number => waiting[index]?.demand.size ?? 0
