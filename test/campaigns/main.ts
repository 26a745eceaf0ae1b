/**
 * Runs campaigns: `npm run campaign -- [--kind NAME] [--seed N] [--runs N] [--from N]`. A run that violates something is
 * told with the command that repeats it. The table of figures goes to standard output.
 */
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { parseArgs } from "node:util"
import { type Campaign, type Outcome, runCampaign } from "./campaign.ts"

const campaigns: ReadonlyArray<() => Promise<Campaign>> = [
  async () => (await import("./schedules.ts")).schedules,
  async () => (await import("./mutations.ts")).mutations,
  async () => (await import("./kills.ts")).kills,
  async () => (await import("./processes.ts")).processes,
  async () => (await import("./disks.ts")).disks,
  async () => (await import("./transports.ts")).transports
]

const { values } = parseArgs({
  options: {
    kind: { type: "string" },
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "100" },
    from: { type: "string", default: "0" },
    // One process among several: its outcome goes to standard output, for the one that started it.
    slice: { type: "boolean", default: false }
  }
})
const [seed, runs, from] = [Number(values.seed), Number(values.runs), Number(values.from)]

type Told = Pick<Outcome, "figures"> & { readonly failed: number }

const told = (campaign: Campaign) => (index: number, violations: ReadonlyArray<string>) =>
  void process.stderr.write(
    `${campaign.name} ${index}: ${violations.join("\n  ")}\n` +
      `  again: npm run campaign -- --kind ${campaign.name} --seed ${seed} --from ${index} --runs 1\n`
  )

const here = async (campaign: Campaign): Promise<Told> => {
  const { figures, violations } = await runCampaign(campaign, { seed, runs, from }, told(campaign))
  return { figures, failed: violations.size }
}

/** The same runs in processes of their own, some at once, their figures added up. */
const inSlices = async ({ name }: Campaign, slice: number): Promise<Told> => {
  const figures = new Map<string, number>()
  let [next, failed] = [from, 0]
  const worker = async () => {
    while (next < from + runs) {
      const first = next
      next = Math.min(first + slice, from + runs)
      const own = ["--kind", name, "--seed", `${seed}`, "--from", `${first}`, "--runs", `${next - first}`, "--slice"]
      const child = spawn(process.execPath, [import.meta.filename, ...own], { stdio: ["ignore", "pipe", "inherit"] })
      const parts: Array<Buffer> = []
      child.stdout.on("data", (part: Buffer) => parts.push(part))
      await new Promise((resolve) => child.once("close", resolve))
      const outcome: Told = JSON.parse(Buffer.concat(parts).toString())
      failed += outcome.failed
      for (const [name, count] of Object.entries(outcome.figures)) figures.set(name, (figures.get(name) ?? 0) + count)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return { figures: Object.fromEntries([...figures].toSorted()), failed }
}

let failed = 0
for (const load of campaigns) {
  const campaign = await load()
  if (values.kind !== undefined && values.kind !== campaign.name) continue
  const began = performance.now()
  const isDivided = campaign.slice !== undefined && runs > campaign.slice
  const outcome = isDivided ? await inSlices(campaign, campaign.slice) : await here(campaign)
  failed += outcome.failed
  if (values.slice) {
    process.stdout.write(JSON.stringify(outcome))
    continue
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(`## ${campaign.name}: ${runs} runs, ${outcome.failed} with violations, ${seconds} s`)
  console.log(`${campaign.about}\n`)
  for (const [name, count] of Object.entries(outcome.figures)) console.log(`- ${name}: ${count}`)
  console.log("")
}
// What a run left waiting, such as a command past its deadline, does not hold the process back.
process.stdout.write("", () => process.exit(failed === 0 ? 0 : 1))
