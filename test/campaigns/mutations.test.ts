/** A short run of the campaign of mutations, and that its samples are sound (rows C04, C06, C08, C09, C10, C19, C21, C22, K01, K03, K07, K10, K13, K14, N13, N22, N28, N30, N32, N35, N36, A03, A06, L06, L07, R02, R05, R07, R11, R12, R16, R17). */
import { assert, describe, it } from "@effect/vitest"
import { runCampaign } from "./campaign.ts"
import { mutations } from "./mutations.ts"
import { families } from "./mutations/families.ts"
import { judge } from "./mutations/family.ts"

describe("inputs", () => {
  it("are accepted as they are", async () => {
    const wrong: Array<string> = []
    for (const family of await families()) {
      for (const [at, seed] of family.seeds.entries()) {
        const { outcome, violations } = await judge(family, Buffer.from(seed))
        if (violations.length > 0) wrong.push(`${family.name}, sample ${at}: ${outcome} ${violations.join(", ")}`)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("changed at random are accepted soundly, or refused with a reason (C04 C06 C08 C09 C10 C19 C21 C22 K01 K03 K10 K14 N13 N22 N28 N30 N32 N35 N36 A03 A06 L06 L07 R02 R05 R07 R11 R12 R16 R17)", async () => {
    const { figures, violations } = await runCampaign(mutations, { seed: 7, runs: 500 })
    assert.deepStrictEqual([...violations.values()].flat(), [])
    assert.isAbove(figures["accepted"] ?? 0, 50)
    const tried = (await families()).filter(({ name }) => `${name}: slowest, ms` in figures)
    assert.deepStrictEqual(tried.length, (await families()).length)
  })
})
