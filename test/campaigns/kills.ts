/** Tools that are killed at a random moment, over and over, then left to end; after each, a stranger looks at what is there. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gate } from "../support/gates.ts"
import { dockerRegistry, ownRegistry, temporary } from "../support/registries.ts"
import { type Campaign, type Random, randomOf, type Runner } from "./campaign.ts"
import { scenes } from "./killScenes.ts"
import { killedServer } from "./serveKills.ts"
import type { Lane, Scene, Stage } from "./stages.ts"
import { type Command, momentOf, victim } from "./victims.ts"
import { type Found, layoutFound } from "./witnesses.ts"

/** So many scenes are played at once, each by processes of its own. */
const lanes = 2

type Count = (name: string) => void

/** D1, D2, D3, D5: whole or as it was. */
export const tagsHold = (
  { problems, tags }: Found,
  { allowed, wanted }: Stage,
  isDone: boolean
): ReadonlyArray<string> => {
  const found = [...problems]
  for (const [name, digests] of Object.entries(allowed)) {
    const may = isDone ? [wanted[name]] : digests
    const is = tags[name]
    if (!may.includes(is) && !(is !== undefined && may.includes("any"))) {
      found.push(`${name} is ${is}, not ${may.join(" or ")}`)
    }
  }
  for (const name of Object.keys(tags)) if (!(name in allowed)) found.push(`${name} was never asked for`)
  return found
}

/** Kills a command up to four times, then runs it to its end; what was whole before is not moved again (D7). */
const play = async (random: Random, scene: Scene, lane: Lane, dir: string, count: Count): Promise<Array<string>> => {
  const stage = await scene.stage(random, lane, dir)
  const command = { env: lane.env, ...stage.command }
  const said: Array<string> = []
  const hold = async (when: string, isDone: boolean) => {
    const found = [...tagsHold(await stage.find(isDone), stage, isDone), ...stage.also?.() ?? []]
    said.push(...found.map((it) => `${scene.name}, ${when}: ${it}`))
  }
  for (let round = 1 + random.below(4); round > 0; round--) {
    const moment = momentOf(random, stage)
    const [{ end, err }] = await Promise.all([victim(command, moment), stage.meanwhile?.()])
    // Of two that wrote at once one was the last.
    const isDone = end === 0 && stage.meanwhile === undefined
    stage.gate?.gate.open()
    const how = end === "SIGKILL" ? "killed" : end === 0 ? "ended before" : "failed"
    count(`${scene.name}: ${how}`)
    if (end === "SIGKILL") count(`killed at a ${moment.name}`)
    if (how === "failed") said.push(`${scene.name} failed with ${end}: ${err}`)
    await hold(`after a kill (${moment.name})`, isDone)
    if (isDone) return said
  }
  const before = await stage.whole()
  const last = await victim(command)
  if (last.end !== 0) said.push(`${scene.name}, again: ended with ${last.end}: ${last.err}`)
  await hold("in the end", true)
  const after = await stage.whole()
  said.push(...(await tidied(stage, command, count)).map((it) => `${scene.name}, tidied up: ${it}`))
  for (const [digest, mark] of before) {
    if (after.has(digest) && after.get(digest) !== mark)
      said.push(`${scene.name}: ${digest} was written again (${mark}, ${after.get(digest)})`)
  }
  for (const line of stage.gate?.gate.lines() ?? []) {
    const moved = stage.moves?.(line)
    if (moved !== undefined && before.has(moved)) said.push(`${scene.name}: ${line} although it was there`)
  }
  return said
}

/** What is left over goes with the next that writes (L12). */
const tidied = async (stage: Stage, command: Command, count: Count): Promise<ReadonlyArray<string>> => {
  const { layout } = stage
  const [tag] = Object.keys(stage.allowed)
  const again = layout === undefined ? [] : ["image", "copy", `ocidir://${layout}:${tag}`, `ocidir://${layout}:later`]
  const { later: args = again, leftOver = () => layout === undefined ? [] : layoutFound(layout).leftOver ?? [] } = stage
  if (leftOver().length === 0) return []
  count("something left over until the next writer")
  const { end, err } = await victim({ ...command, tool: "regctl", args })
  const problems = layout === undefined ? [] : layoutFound(layout).problems
  return [...end === 0 ? [] : [err], ...problems, ...leftOver().map((it) => `left over: ${it}`)]
}

/** Lanes with two registries, each with gates of its own to them; nothing else is shared. */
export const lanesOf = async (name: string, many: number) => {
  const root = temporary(name)
  const [own, docker] = await Promise.all([
    ownRegistry(["--dir", join(root.path, "registry")]),
    dockerRegistry()
  ])
  const made = await Promise.all(Array.from({ length: many }, async (_, at): Promise<Lane> => {
    const home = join(root.path, `home${at}`)
    mkdirSync(join(home, "tmp"), { recursive: true })
    const registries = await Promise.all([["own", own.host] as const, ["docker", docker.host] as const].map(
      async ([name, host]) => ({ name, host, gate: await gate(host) })
    ))
    const entries = registries.map(({ gate }, index) => [
      gate.host,
      // One of them takes blobs in chunks.
      { tls: "disabled", ...(index === at % 2 ? { blobMax: 100_000, blobChunk: 60_000 } : {}) }
    ])
    const config = join(home, "config.json")
    writeFileSync(config, JSON.stringify({ hosts: Object.fromEntries(entries) }), { mode: 0o600 })
    const env = {
      PATH: process.env["PATH"],
      HOME: home,
      REGCTL_CONFIG: config,
      DOCKER_CONFIG: home,
      TMPDIR: join(home, "tmp")
    }
    return { name: `lane${at}`, env, registries }
  }))
  const stop = async () => {
    await Promise.all([own, docker].map((it) => it.stop()))
    await Promise.all(made.flatMap(({ registries }) => registries.map(({ gate }) => gate.stop())))
    root.remove()
  }
  return { lanes: made, root: root.path, stop }
}

const start = async (): Promise<Runner> => {
  const { lanes: made, root, stop } = await lanesOf("kills", lanes)
  const figures: Record<string, number> = { kills: 0 }
  const count: Count = (name) => {
    figures[name] = (figures[name] ?? 0) + 1
    if (name.endsWith(": killed")) figures["kills"] = (figures["kills"] ?? 0) + 1
  }
  const one = async (random: Random, lane: Lane, index: number): Promise<ReadonlyArray<string>> => {
    const dir = join(root, `${lane.name}-${index}`)
    mkdirSync(dir)
    try {
      const at = random.below(scenes.length + 1)
      const scene = scenes[at]
      return await (scene === undefined ? killedServer(random, dir, count) : play(random, scene, lane, dir, count))
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }
  return {
    run: async (random, index) => {
      // Draws of each lane come from a number of its own: which lane is faster must not matter.
      const all = await Promise.all(made.map((lane) => one(randomOf(random.below(2 ** 31), index), lane, index)))
      return all.flat()
    },
    figures: () => Object.fromEntries(Object.entries(figures).toSorted()),
    stop
  }
}

export const kills: Campaign = {
  name: "kills",
  about:
    "A tool, or the embedded registry, is killed up to four times in a row and then left to end: tags are old, or " +
    "new and whole; files are what their names say; what is left over is temporary; the same command succeeds in the " +
    "end and moves nothing that was whole; what a registry acknowledged is there after its restart.",
  start
}
