/** A short campaign of fault schedules; `npm run campaign -- --kind schedules` runs longer ones. */
import { assert, describe, it } from "@effect/vitest"
import type { Asked } from "../support/quirky.ts"
import { randomOf, runCampaign } from "./campaign.ts"
import { scheduleOf } from "./faultLayer.ts"
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

/** Requests as a copy makes them, each three times. */
const requests = [
  "GET manifests/v1",
  "HEAD blobs/sha256:aa",
  "GET blobs/sha256:aa",
  "POST blobs/uploads/",
  "PUT manifests/v1"
]
  .flatMap((line) => [line, line, line]).map((line): Asked => {
    const [method = "", path = ""] = line.split(" ")
    const url = new URL(`http://r.example/v2/r1/to/${path}`)
    return { method, url, target: url.pathname, headers: {}, body: Buffer.from(method), nth: 0 }
  })

/** What the requests met, by their kind. */
const metBy = (seed: string, asked: ReadonlyArray<Asked>): ReadonlyArray<string> => {
  const { faultOf } = scheduleOf(seed, 0.5, { foreign: "f.example:1", revoke: () => {} }, () => {})
  return asked.map((it) => `${it.method} ${it.target} ${faultOf(it)?.kind}`).toSorted()
}

describe("a schedule of faults", () => {
  it("is the same for the same seed, in whatever order requests arrive, and another for another", () => {
    const seeds = Array.from({ length: 50 }, (_, at) => `${at} to`)
    const forward = seeds.map((it) => metBy(it, requests))
    assert.deepStrictEqual(seeds.map((it) => metBy(it, requests)), forward)
    assert.deepStrictEqual(seeds.map((it) => metBy(it, requests.toReversed())), forward)
    assert.isAbove(new Set(forward.map(String)).size, 45)
  })

  it("is drawn with its command by seed and number of a run", () => {
    const draws = (seed: number, index: number) => {
      const random = randomOf(seed, index)
      return Array.from({ length: 5 }, () => random.below(1_000))
    }
    assert.deepStrictEqual(draws(7, 3), draws(7, 3))
    assert.notDeepEqual(draws(7, 3), draws(7, 4))
    assert.notDeepEqual(draws(7, 3), draws(8, 3))
  })
})
