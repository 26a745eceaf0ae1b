/** Response headers as templates see them: canonical names, sorted. */
import type { Headers } from "../../schemas/Manifest.ts"

const canonical = (name: string): string => name.toLowerCase().replace(/(^|-)([a-z])/g, (it) => it.toUpperCase())

/** Lists of values by names such as `Docker-Content-Digest`. */
export const headersView = (headers: Headers): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(
    Object.entries(headers)
      .map(([name, values]) => [canonical(name), values] as const)
      .sort(([a], [b]) => a < b ? -1 : 1)
  )
