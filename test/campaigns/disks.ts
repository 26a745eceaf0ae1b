/** Tools whose disk is full from a random call on: at a first, middle or last byte, an fsync, a rename (L01). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { fullDisk } from "../support/disks.ts"
import type { Campaign, Random, Runner } from "./campaign.ts"
import { lanesOf, tagsHold } from "./kills.ts"
import { scenes } from "./killScenes.ts"
import type { Lane, Scene, Stage } from "./stages.ts"
import { victim } from "./victims.ts"

/** A scene that writes to a disk, and where. */
const drawn = async (random: Random, lane: Lane, dir: string): Promise<readonly [Scene, Stage, string]> => {
  for (let tries = 0;; tries++) {
    const scene = random.pick(scenes)
    const place = join(dir, `${basename(dir)}-${tries}`)
    mkdirSync(place)
    const stage = await scene.stage(random, lane, place)
    stage.gate?.gate.open()
    if (stage.watched !== undefined) return [scene, stage, stage.watched.dir]
  }
}

const temporaryIn = (dir: string): ReadonlyArray<string> =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((it) => it.includes(".regclient-"))
    : []

const start = async (): Promise<Runner> => {
  const { lanes: [lane], root, stop } = await lanesOf("disks", 1)
  const figures: Record<string, number> = {}
  const count = (name: string) => void (figures[name] = (figures[name] ?? 0) + 1)
  const run = async (random: Random, index: number): Promise<ReadonlyArray<string>> => {
    const dir = join(root, `${index}`)
    mkdirSync(dir)
    try {
      if (lane === undefined) return ["no lane"]
      const [scene, stage, place] = await drawn(random, lane, dir)
      const log = join(dir, "calls")
      const full = {
        dir: place,
        from: random.below((stage.watched?.changes ?? 0) * 1.3),
        only: random.chance(0.3),
        log
      }
      const json = ["--logopt", "json"]
      const command = { env: lane.env, ...stage.command, args: [...stage.command.args, ...json] }
      const ended = await victim({ ...command, env: { ...command.env, ...fullDisk(full) } })
      const calls = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []
      const call = calls[full.from]?.replace(/^\d+ /, "") ?? "none"
      const said: Array<string> = []
      const isDone = ended.end === 0
      count(`${scene.name}: ${isDone ? call === "none" ? "had room" : "done all the same" : "failed"}`)
      if (!isDone) {
        const records = ended.err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))
        const { reason } = records.findLast(({ level }) => level === "ERROR") ?? {}
        if (command.tool === "regctl" && reason !== "FsNoSpace") said.push(`reason ${reason}: ${ended.err}`)
        if (!ended.err.includes("no space left on device") || /internal error/.test(ended.err))
          said.push(`says ${ended.err}`)
        if (!ended.err.includes(place)) said.push(`names no path: ${ended.err}`)
        if (call === "none") said.push(`failed with room: ${ended.err}`)
      }
      said.push(...tagsHold(await stage.find(isDone), stage, isDone), ...stage.also?.() ?? [])
      // A disk that is full for one call, or for all.
      said.push(...temporaryIn(place).map((it) => `left over: ${it}`))
      stage.gate?.gate.open()
      const last = await victim(command)
      if (last.end !== 0) said.push(`again: ended with ${last.end}: ${last.err}`)
      said.push(...tagsHold(await stage.find(true), stage, true))
      return said.map((it) => `${scene.name}, full at ${full.from}${full.only ? " only" : ""} (${call}): ${it}`)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  return { run, figures: () => Object.fromEntries(Object.entries(figures).toSorted()), stop }
}

export const disks: Campaign = {
  name: "disks",
  about:
    "A command finds its disk full at a random call: it says so with the path, leaves no temporary file, tags are old " +
    "or new and whole, and with room again it succeeds.",
  start
}
