/** A campaign: many runs, each drawn from a seed, each judged by what must hold whatever happened. */

/** Draws of one run: the same for the same seed and number. */
export interface Random {
  /** From 0 up to 1. */
  readonly next: () => number
  /** From 0 up to a whole number. */
  readonly below: (limit: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(items: ReadonlyArray<A>) => A
}

export const randomOf = (seed: number, index: number): Random => {
  let state = Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const found = items[below(items.length)]
      if (found === undefined) throw new Error("nothing to pick from")
      return found
    }
  }
}

export interface Runner {
  /** What was violated, in words; none when all held. Runs come one after the other, but for `parallel` of them. */
  readonly run: (random: Random, index: number) => Promise<ReadonlyArray<string>>
  /** What happened, by name: how many copies succeeded, how many failed for which reason. */
  readonly figures: () => Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
}

export interface Campaign {
  readonly name: string
  /** What is done, and what must hold. */
  readonly about: string
  /** How many runs go on at once, 1 when absent: those that wait for a network most of the time. */
  readonly parallel?: number
  /** How many runs one process makes, as many of them at once as there are cores; all of them when absent. */
  readonly slice?: number
  readonly start: () => Promise<Runner>
}

export interface Outcome {
  readonly runs: number
  /** By the number of the run. */
  readonly violations: ReadonlyMap<number, ReadonlyArray<string>>
  readonly figures: Readonly<Record<string, number>>
}

/** Runs `from` and the following of a campaign; `told` hears of each that violated something. */
export const runCampaign = async (
  campaign: Campaign,
  { from = 0, runs, seed }: { readonly seed: number; readonly runs: number; readonly from?: number },
  told: (index: number, violations: ReadonlyArray<string>) => void = () => {}
): Promise<Outcome> => {
  const runner = await campaign.start()
  const violations = new Map<number, ReadonlyArray<string>>()
  try {
    let next = from
    const worker = async () => {
      while (next < from + runs) {
        const index = next++
        const found = await runner.run(randomOf(seed, index), index)
        if (found.length === 0) continue
        violations.set(index, found)
        told(index, found)
      }
    }
    await Promise.all(Array.from({ length: campaign.parallel ?? 1 }, worker))
    return { runs, violations, figures: runner.figures() }
  } finally {
    await runner.stop()
  }
}
