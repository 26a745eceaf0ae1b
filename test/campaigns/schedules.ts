/**
 * The campaign of fault schedules: commands over registries, layouts and tars, under faults drawn from the seed, each
 * judged by what must hold however it ended, and run again without faults where it failed.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { regctl } from "../../src/programs/regctl/main.ts"
import { regsync } from "../../src/programs/regsync/main.ts"
import { toolHere } from "../support/inProcess.ts"
import { type Ran, root } from "../support/programs.ts"
import { digestOf } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"
import { brokenRegistries, login, type Manner, secrets } from "./brokenRegistries.ts"
import type { Campaign, Random, Runner } from "./campaign.ts"
import type { Command } from "./command.ts"
import { drawCommand } from "./drawnCommands.ts"
import { signature } from "./faultLayer.ts"
import type { Seen } from "./places.ts"

const reasons = new Set(
  [...readFileSync(join(root, "docs/errors.md"), "utf8").matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
)

const mannerOf = (random: Random): Manner => ({
  scheme: random.pick(["none", "basic", "bearer", "bearer"]),
  isStrict: random.chance(0.5),
  hasReferrers: random.chance(0.7),
  deletesTags: random.chance(0.6)
})

/** What must hold of the target, however the command ended. */
const flawsOf = (command: Command, before: Seen, after: Seen, isDone: boolean, err: string): ReadonlyArray<string> => {
  const found = [...after.flaws]
  const [old, now] = [before.repository.tags, after.repository.tags]
  for (const tag of new Set([...old.keys(), ...now.keys(), ...Object.keys(command.changes)])) {
    const change = command.changes[tag]
    const [was, is] = [old.get(tag), now.get(tag)]
    if (change === undefined) {
      // A registry that lists no referrers gets them by such tags.
      if (was !== is && !tag.startsWith("sha256-")) found.push(`the tag ${tag} changed from ${was} to ${is} (D2)`)
      continue
    }
    if (change.isWanted(is, after, before)) continue
    if (isDone) found.push(`done, but the tag ${tag} is on ${is}`)
    else if (is !== was && !(is !== undefined && err.includes(`placeholder ${is}`)))
      found.push(`failed, and the tag ${tag} changed from ${was} to ${is} (D2)`)
  }
  if (!isDone) return found
  const { blobs, manifests } = after.repository
  return [
    ...found,
    ...command.brings.flatMap((it) => manifests.has(it) || blobs.has(it) ? [] : [`done, but ${it} is not there`])
  ]
}

/** The reasons that JSON records of a run name. */
const reasonsOf = ({ err }: Ran): ReadonlyArray<string> =>
  err.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return []
    const reason: unknown = JSON.parse(line).reason
    return typeof reason === "string" ? [reason] : []
  })

/** Milliseconds in which a command ends, its waits being 200 times shorter than for others. */
const patience = 45_000

const ended = async (running: Promise<Ran>): Promise<Ran | undefined> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => void (timer = setTimeout(() => resolve(undefined), patience)))
  return Promise.race([running, late]).finally(() => clearTimeout(timer))
}

/** What must hold of all output. */
const spoken = (ran: Ran, isCalm: boolean): ReadonlyArray<string> => {
  const [found, all] = [new Array<string>(), ran.out + ran.err]
  if (ran.code !== 0 && ran.code !== 1) found.push(`status ${ran.code}`)
  for (const secret of [...secrets, signature]) if (all.includes(secret)) found.push(`${secret} is shown`)
  if (/internal error|\n {4}at |\[object |\bundefined\b/.test(all)) found.push("an untyped error")
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b-\u001f]/.test(ran.err)) found.push("control characters are shown")
  if (ran.code === 0 || isCalm) return found
  const named = reasonsOf(ran)
  if (named.length === 0) found.push("no reason")
  return [...found, ...named.flatMap((it) => reasons.has(it) && it !== "Defect" ? [] : [`the reason ${it}`])]
}

type Env = Readonly<Record<string, string>>

/** Every fourth run is over node:http, unless this process is told of one transport. */
const envOf = (index: number): Env => ({
  REGCLIENT_TRANSPORT: process.env["REGCLIENT_TRANSPORT"] ?? (index % 4 === 3 ? "node" : "own")
})

const start = async (): Promise<Runner> => {
  const dir = temporary("schedules")
  const registries = await brokenRegistries()
  const before = process.env["TMPDIR"]
  const scratch = join(dir.path, "tmp")
  mkdirSync(scratch)
  process.env["TMPDIR"] = scratch
  const figures = new Map<string, number>()
  const count = (name: string, by = 1) => void figures.set(name, (figures.get(name) ?? 0) + by)
  let working = 0

  const { front, source, target } = registries
  const inChunks = { blobMax: 60_000, blobChunk: 25_000 }
  const write = (name: string, timeouts: Readonly<Record<string, string>>, sizes = {}) => {
    const entry = { tls: "disabled", ...login, timeouts, ...sizes }
    const hosts = Object.fromEntries([source, target, front].map(({ host }) => [host, entry]))
    writeFileSync(join(dir.path, name), JSON.stringify({ hosts }), { mode: 0o600 })
  }
  const short = { headers: "300ms", commit: "300ms", stall: "300ms" }
  write("config.json", short, inChunks)
  // A large blob goes in one body then.
  write("whole.json", short)
  // Without faults nothing is silent, and a busy machine may be slow.
  write("calm.json", {}, inChunks)
  const perform = ({ args, input = "", tool }: Command, config: string, more: ReadonlyArray<string>, env: Env) =>
    tool === "regctl"
      ? toolHere(regctl, [...args, ...more], { config: join(dir.path, `${config}.json`), env, input, times: 200 })
      : toolHere(
        regsync,
        [...args.map((it) => config === "calm" ? it.replace(/sync\.yml$/, "calm.yml") : it), ...more],
        { config: "", env, times: 200 }
      )

  const judged = async (random: Random, run: string, env: Env): Promise<ReadonlyArray<string>> => {
    const [from, to] = [mannerOf(random), mannerOf(random)]
    const command = await drawCommand({ random, registries, run, dir: join(dir.path, run), from, to })
    const names = [`${run}/from`, `${run}/to`]
    registries.serve(`${run}/from`, from)
    registries.serve(`${run}/to`, to)
    const odds = random.pick([0.02, 0.05, 0.1, 0.25, 0.5])
    const seed = String(random.below(2 ** 31))
    const talk = random.chance(0.1) ? ["-v", "trace"] : []
    const [sourceBefore, targetBefore] = [await command.source?.see(), await command.target.see()]
    for (const name of names) registries.breaks(name, seed, odds, (kind) => count(`met: ${kind}`))
    const late = () => [
      `still running after ${patience / 1000} s: ${command.tool} ${command.args.join(" ")}`,
      ...names.flatMap((name) => registries.storyOf(name))
    ]
    const ran = await ended(
      perform(command, random.chance(0.3) ? "whole" : "config", ["--logopt", "json", ...talk], env)
    )
    if (ran === undefined) return late()
    for (const name of names) registries.heal(name)
    const isDone = ran.code === 0
    count(`${command.kind}: ${isDone ? "done" : "failed"}`)
    if (!isDone) count(`reason: ${reasonsOf(ran).at(-1)}`)
    count("requests under faults", names.reduce((sum, name) => sum + registries.linesOf(name).length, 0))
    const after = await command.target.see()
    const found = [...spoken(ran, false), ...flawsOf(command, targetBefore, after, isDone, ran.err)]
    if (isDone && command.isSaid?.(ran) === false) found.push("done, but it does not say what it has to say")
    if (!isDone || random.chance(0.1)) {
      const again = await ended(perform(command, "calm", ["--logopt", "json"], env))
      if (again === undefined) return ["without faults:", ...late()]
      const isOver = command.isOnce === true && (isDone || reasonsOf(again).at(-1) === "NotFound")
      count("run again without faults")
      if (again.code === 0 && command.isSaid?.(again) === false) found.push("does not say what it has to say")
      if (again.code !== 0 && !isOver) found.push(`not done without faults (D7): ${again.err}`)
      found.push(...spoken(again, true), ...flawsOf(command, after, await command.target.see(), true, again.err))
    }
    if (command.source !== undefined && sourceBefore !== undefined)
      found.push(...changed(sourceBefore, await command.source.see(), registries.linesOf(`${run}/from`)))
    for (const name of names) found.push(...registries.leaksOf(name).map((it) => `a login went elsewhere: ${it}`))
    if (found.length === 0) return []
    const story = names.flatMap((name) => registries.storyOf(name))
    return [...found, `${command.tool} ${command.args.join(" ")} (${ran.code})`, ran.err, ...story]
  }

  return {
    run: async (random, index) => {
      const run = `r${index}`
      working++
      try {
        const found = [...await judged(random, run, envOf(index))]
        // Of several at once none can say whose files those are.
        if (working === 1) found.push(...readdirSync(scratch).map((it) => `the temporary file ${it} is left over`))
        return found
      } finally {
        working--
        for (const name of [`${run}/from`, `${run}/to`]) registries.forget(name)
        rmSync(join(dir.path, run), { recursive: true, force: true })
      }
    },
    figures: () => ({
      ...Object.fromEntries([...figures].toSorted()),
      "temporary files left": readdirSync(scratch).length
    }),
    stop: async () => {
      if (before === undefined) delete process.env["TMPDIR"]
      else process.env["TMPDIR"] = before
      await registries.stop()
      dir.remove()
    }
  }
}

/** What became of a source (D8). */
const changed = (before: Seen, after: Seen, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const shown = ({ repository: { blobs, manifests, tags } }: Seen) =>
    digestOf(JSON.stringify([[...tags], [...blobs.keys()], [...manifests.keys()]]))
  return [
    ...(shown(before) === shown(after) ? [] : ["the source changed (D8)"]),
    ...lines.filter((it) => !/^(?:GET|HEAD) |^POST \/token/.test(it)).map((it) =>
      `the source was asked to change: ${it} (D8)`
    )
  ]
}

export const schedules: Campaign = {
  name: "schedules",
  about:
    "Commands under random faults: whole or as before, typed, without secrets; the same again without faults succeeds.",
  parallel: 4,
  // Uploads whose beginning got lost stay open at the real server, which takes 1,000 of them.
  slice: 250,
  start
}
