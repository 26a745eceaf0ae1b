/** A short campaign of fault schedules; `npm run campaign -- --kind schedules` runs longer ones. */
import { assert, describe, it } from "@effect/vitest"
import { runCampaign } from "./campaign.ts"
import { schedules } from "./schedules.ts"

const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_260_101)

describe("commands under random faults", () => {
  it(
    `are done whole or leave all as it was, and are done once the faults are gone (N05 N06 N10 N11 N12 N15 N27 N29 N30, seed ${seed})`,
    async () => {
      const { figures, violations } = await runCampaign(schedules, { seed, runs: 200 })
      assert.deepStrictEqual([...violations], [])
      const met = Object.keys(figures).filter((name) => name.startsWith("met: "))
      assert.isAbove(met.length, 25)
      // Both ends were met.
      const ends = (how: string) => Object.entries(figures).filter(([name]) => name.endsWith(`: ${how}`))
      assert.isAbove(ends("done").length, 5)
      assert.isAbove(ends("failed").length, 5)
      assert.strictEqual(figures["temporary files left"], 0)
    },
    300_000
  )
})
