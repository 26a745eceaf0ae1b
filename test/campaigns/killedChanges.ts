/** More commands to be killed: those that change images where they stand, delete, and write the configuration. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { judge } from "../support/layouts.ts"
import { must, tool } from "../support/programs.ts"
import { atRegistry, inLayout, none, pair, type Scene, seed, tag } from "./stages.ts"
import { type Command, victim } from "./victims.ts"
import { layoutOf } from "./witnesses.ts"

const changes = ["--layer-compress", "gzip", "--annotation", "org.example.by=campaign"]

/** Directories for temporary files that are there, of whomever. */
const scratchIn = (env: Command["env"]): ReadonlyArray<string> =>
  readdirSync(env["TMPDIR"] ?? "").filter((it) => it.startsWith("regclient-")).map((it) => `in TMPDIR: ${it}`)

/** An image changed, put beside the old one or over it. What it becomes is known from a run into another place. */
const imageMod = (name: string, isReplaced: boolean): Scene => ({
  name,
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const old = made.images[tag]?.digest
    const [expected, later] = [join(dir, "expected"), join(dir, "later")]
    const from = `ocidir://${made.source}:${tag}`
    const args = ["image", "mod", from, "--create", `ocidir://${expected}:${tag}`, ...changes]
    await must(process.execPath, [tool("regctl"), ...args], { env: lane.env })
    const now = judge(expected).tags[tag]
    const common = {
      // Who writes to a temporary directory next, tidies it up.
      leftOver: () => scratchIn(lane.env),
      later: ["image", "mod", from, "--create", `ocidir://${later}:${tag}`, ...changes]
    }
    const to = random.chance(0.5) ? "layout" : "registry"
    if (isReplaced) {
      const tags = { allowed: { [tag]: [old, now] }, wanted: { [tag]: now }, also: () => [] }
      const command = (at: string) =>
        ({ tool: "regctl", args: ["image", "mod", `${at}:${tag}`, "--replace", ...changes], cwd: dir }) as const
      if (to === "layout") {
        const place = { ...inLayout(made.source), whole: none, layout: undefined }
        const watched = { dir: made.source, changes: 50 }
        return { ...common, ...place, ...tags, command: command(`ocidir://${made.source}`), watched, usual: 330 }
      }
      const { at, gate, host, repository, stage } = await atRegistry(random, lane, dir, made)
      await seed(made.source, made.images, host, repository)
      gate.open()
      const passed = { gate, bytes: made.bytes, requests: 30 }
      const kept = made.wanted["kept"]
      return {
        ...common,
        ...stage,
        allowed: { kept: [kept], ...tags.allowed },
        wanted: { kept, ...tags.wanted },
        command: command(at),
        gate: passed,
        usual: 350
      }
    }
    const tags = {
      allowed: { ...made.allowed, [tag]: [made.allowed[tag]?.[0], now] },
      wanted: { ...made.wanted, [tag]: now }
    }
    const command = (at: string) =>
      ({ tool: "regctl", args: ["image", "mod", from, "--create", `${at}:${tag}`, ...changes], cwd: dir }) as const
    if (to === "layout") {
      const watched = { dir: made.old, changes: 50 }
      const place = { ...inLayout(made.old), layout: undefined }
      return { ...made, ...common, ...place, ...tags, command: command(`ocidir://${made.old}`), watched, usual: 330 }
    }
    const { at, gate, stage } = await atRegistry(random, lane, dir, made)
    const passed = { gate, bytes: made.bytes / 2, requests: 28 }
    return { ...made, ...common, ...stage, ...tags, command: command(at), gate: passed, usual: 350 }
  }
})

const manifestDelete: Scene = {
  name: "manifest delete in a layout",
  stage: async (_, __, dir) => {
    const layout = join(dir, "layout")
    const images = layoutOf(layout, { a: `${dir} a`, gone: `${dir} gone`, also: `${dir} gone` }, 30_000)
    const [kept, gone] = [images["a"]?.digest, images["gone"]?.digest]
    const args = ["manifest", "delete", "--ignore-missing", `ocidir://${layout}@${gone}`]
    return {
      ...inLayout(layout),
      find: async () => {
        const found = await inLayout(layout).find(false)
        // It loses both its names at once.
        const isHalf = (found.tags["gone"] === undefined) !== (found.tags["also"] === undefined)
        return isHalf ? { ...found, problems: [...found.problems, "one tag of two is gone"] } : found
      },
      command: { tool: "regctl", args, cwd: dir },
      allowed: { a: [kept], gone: [gone, undefined], also: [gone, undefined] },
      wanted: { a: kept, gone: undefined, also: undefined },
      whole: none,
      watched: { dir: layout, changes: 16 },
      usual: 180
    }
  }
}

/** What is overwritten is there under another name first. */
const backups: Scene = {
  name: "regsync once with backups",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const then = made.allowed[tag]?.[0]
    const saved = "saved-v1"
    const tags = {
      allowed: { ...made.allowed, ...(then === undefined ? {} : { [saved]: [undefined, then] }) },
      wanted: { ...made.wanted, ...(then === undefined ? {} : { [saved]: then }) }
    }
    const command = { tool: "regsync", args: ["once", "-c", join(dir, "config.yml")], cwd: dir } as const
    const write = (host: string, to: string) =>
      writeFileSync(
        join(dir, "config.yml"),
        JSON.stringify({
          version: 1,
          creds: [{ registry: host, tls: "disabled" }],
          defaults: { skipDockerConfig: true, backup: "saved-{{.Ref.Tag}}" },
          sync: [{ source: `ocidir://${made.source}:${tag}`, target: `${to}:${tag}`, type: "image" }]
        })
      )
    const place = random.chance(0.5) ? undefined : await atRegistry(random, lane, dir, made)
    write(place?.gate.host ?? "none.example", place?.at ?? `ocidir://${made.old}`)
    const where = place === undefined
      ? { ...inLayout(made.old), watched: { dir: made.old, changes: 60 } }
      : { ...place.stage, gate: { gate: place.gate, bytes: made.bytes, requests: 40 } }
    return {
      ...made,
      ...where,
      ...tags,
      find: async (isDone) => {
        const found = await where.find(isDone)
        const isLost = then !== undefined && found.tags[tag] !== then && found.tags[saved] !== then
        return isLost ? { ...found, problems: [...found.problems, "overwritten without a backup"] } : found
      },
      command,
      usual: 300
    }
  }
}

/** The owner and mode of the file that is there stay, and it stays where its link points (L13). */
const configuration: Scene = {
  name: "configuration",
  stage: async (random, lane, dir) => {
    const [real, link] = [join(dir, "real"), join(dir, "config.json")]
    const file = join(real, "settings.json")
    const login = { user: "ada", pass: "x".repeat(100_000) }
    mkdirSync(real)
    writeFileSync(file, JSON.stringify({ hosts: { "kept.example": login, "left.example": login } }), { mode: 0o640 })
    symlinkSync(file, link)
    const { uid } = statSync(file)
    const env = { ...lane.env, REGCTL_CONFIG: link }
    const [args, change] = random.pick<readonly [ReadonlyArray<string>, "added" | "left" | "set"]>([
      [["registry", "set", "added.example", "--skip-check", "--tls", "disabled"], "added"],
      [["registry", "login", "added.example", "--skip-check", "-u", "eve", "-p", "secret"], "added"],
      [["registry", "logout", "left.example"], "left"],
      [["config", "set", "--blob-limit", "5000000"], "set"]
    ])
    const find = async (isDone: boolean) => {
      const problems: Array<string> = []
      if (!lstatSync(link).isSymbolicLink()) problems.push("the link is gone")
      const { mode, uid: now } = statSync(file)
      if ((mode & 0o777) !== 0o640 || now !== uid) problems.push(`mode ${mode.toString(8)} of ${now}`)
      const names = readdirSync(real).filter((it) => it !== "settings.json")
      for (const name of names) {
        if (isDone || !/^\.regclient-[0-9a-f]{12}-\d+-\d+-[0-9a-f]{32}\.tmp$/.test(name))
          problems.push(`left over: ${name}`)
        else if (existsSync(join(real, name)) && (statSync(join(real, name)).mode & 0o007) !== 0)
          problems.push("others can read a temporary file")
      }
      const { blobLimit, hosts } = JSON.parse(readFileSync(file, "utf8"))
      const tags = {
        kept: hosts["kept.example"]?.pass === login.pass ? "there" : "lost",
        ...(hosts["left.example"]?.pass === login.pass ? { left: "there" } : {}),
        ...("added.example" in hosts ? { added: "there" } : {}),
        ...(blobLimit === 5_000_000 ? { set: "there" } : {})
      }
      return { tags, problems }
    }
    const before = { kept: "there", left: "there", added: undefined, set: undefined }
    const wanted = { ...before, [change]: change === "left" ? undefined : "there" }
    const allowed = Object.fromEntries(Object.entries(before).map(([name, is]) => [name, [is]]))
    const other: Command = {
      tool: "regctl",
      args: ["registry", "set", "kept.example", "--skip-check", "--tls", "disabled"],
      cwd: dir,
      env
    }
    return {
      command: { tool: "regctl", args, cwd: dir, env },
      find,
      allowed: { ...allowed, [change]: [before[change], wanted[change]] },
      wanted,
      whole: none,
      watched: { dir: real, changes: 8 },
      usual: 170,
      // Another writes at the same time.
      ...(random.chance(0.4) ? { meanwhile: () => victim(other) } : {})
    }
  }
}

export const changeScenes: ReadonlyArray<Scene> = [
  imageMod("image mod --create", false),
  imageMod("image mod --replace", true),
  manifestDelete,
  backups,
  configuration
]
