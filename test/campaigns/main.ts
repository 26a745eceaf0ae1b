/**
 * Runs campaigns: `npm run campaign -- [--kind NAME] [--seed N] [--runs N] [--from N]`. A run that violates something is
 * told with the command that repeats it. The table of figures goes to standard output.
 */
import { parseArgs } from "node:util"
import { type Campaign, runCampaign } from "./campaign.ts"

const campaigns: ReadonlyArray<() => Promise<Campaign>> = [
  async () => (await import("./schedules.ts")).schedules,
  async () => (await import("./mutations.ts")).mutations,
  async () => (await import("./kills.ts")).kills,
  async () => (await import("./processes.ts")).processes,
  async () => (await import("./disks.ts")).disks
]

const { values } = parseArgs({
  options: {
    kind: { type: "string" },
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "100" },
    from: { type: "string", default: "0" }
  }
})
const [seed, runs, from] = [Number(values.seed), Number(values.runs), Number(values.from)]

let failed = 0
for (const load of campaigns) {
  const campaign = await load()
  if (values.kind !== undefined && values.kind !== campaign.name) continue
  const began = performance.now()
  const outcome = await runCampaign(campaign, { seed, runs, from }, (index, violations) => {
    process.stderr.write(
      `${campaign.name} ${index}: ${violations.join("\n  ")}\n` +
        `  again: npm run campaign -- --kind ${campaign.name} --seed ${seed} --from ${index} --runs 1\n`
    )
  })
  failed += outcome.violations.size
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(`## ${campaign.name}: ${outcome.runs} runs, ${outcome.violations.size} with violations, ${seconds} s`)
  console.log(`${campaign.about}\n`)
  for (const [name, count] of Object.entries(outcome.figures)) console.log(`- ${name}: ${count}`)
  console.log("")
}
process.exit(failed === 0 ? 0 : 1)
