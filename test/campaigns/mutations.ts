/** Random changes of everything that is read: each is accepted soundly, or refused with a failure that names why. */
import type { Campaign } from "./campaign.ts"
import { families } from "./mutations/families.ts"
import { type Family, judge } from "./mutations/family.ts"
import { mutated } from "./mutations/structured.ts"

/** Bytes that one input may add to what the process holds. */
const mostMemory = 400 * 1024 * 1024

const slow = async (family: Family, input: Buffer, limit: number): Promise<number> => {
  // Another program may have had the processor: the best of three counts.
  let best = Number.POSITIVE_INFINITY
  for (let left = 2; left > 0 && best > limit; left--) best = Math.min(best, (await judge(family, input)).milliseconds)
  return best
}

export const mutations: Campaign = {
  name: "mutations",
  about: "Samples of every input, changed at random, are accepted or refused as the contract says, within a second.",
  start: async () => {
    const all = await families()
    const only = process.env["MUTATIONS_FAMILY"] ?? ""
    const tried = all.filter(({ name }) => name.includes(only))
    const wheel = tried.flatMap((family) => Array.from({ length: family.weight }, () => family))
    const counts = new Map<string, number>()
    const slowest = new Map<string, number>()
    const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
    return {
      run: async (random, index) => {
        // Each family has its share of any few hundred runs; the step is a prime, so that they alternate.
        const family = wheel[(index * 7_919) % wheel.length] ?? random.pick(wheel)
        const input = mutated(Buffer.from(random.pick(family.seeds)), family.form, random)
        const before = process.memoryUsage.rss()
        const { milliseconds, outcome, violations } = await judge(family, input)
        const grown = process.memoryUsage.rss() - before
        const limit = family.patience ?? 1_000
        const time = milliseconds > limit ? await slow(family, input, limit) : milliseconds
        count("inputs")
        count(outcome)
        count(`${family.name}: ${outcome.startsWith("refused") ? "refused" : outcome}`)
        slowest.set(family.name, Math.max(slowest.get(family.name) ?? 0, time))
        const found = [
          ...violations,
          ...(time > limit ? [`it takes ${Math.round(time)} ms`] : []),
          ...(grown > mostMemory ? [`it takes ${Math.round(grown / 1024 / 1024)} MiB`] : [])
        ]
        return found.map((it) => `${family.name} (${index}): ${it}\n    ${shownInput(input)}`)
      },
      figures: () =>
        Object.fromEntries([
          ...[...counts].toSorted(([a], [b]) => a < b ? -1 : 1),
          ...[...slowest].map(([name, time]) => [`${name}: slowest, ms`, Math.round(time)] as const)
        ]),
      stop: async () => {
        for (const { stop } of all) await stop?.()
      }
    }
  }
}

const shownInput = (input: Buffer): string => {
  const text = JSON.stringify(input.toString("latin1"))
  return text.length > 400 ? `${text.slice(0, 400)}… (${input.length} bytes)` : text
}
