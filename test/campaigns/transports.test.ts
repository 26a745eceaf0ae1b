/** A short campaign of changed answers through both transports; `npm run campaign -- --kind transports` runs longer ones. */
import { assert, describe, it } from "@effect/vitest"
import { runCampaign } from "./campaign.ts"
import { transports } from "./transports.ts"

const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_260_101)

describe("answers changed at random", () => {
  it(
    `are read alike by both transports, and never as the answer to the next request (N07 N35, seed ${seed})`,
    async () => {
      const { figures, violations } = await runCampaign(transports, { seed, runs: 1000 })
      assert.deepStrictEqual([...violations], [])
      for (const what of ["read", "ProtocolError", "SizeMismatch", "ConnectionLost", "Timeout"])
        assert.isAbove(figures[what] ?? 0, 0, what)
    },
    120_000
  )
})
