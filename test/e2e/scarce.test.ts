/** The three tools where there is little: 64 open files, a file system that is full. They succeed, or say what they lack. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { fullDisk } from "../support/disks.ts"
import { addBlob, addImage, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { type Ran, run, tool } from "../support/programs.ts"
import { lacking, quirky, type Started } from "../support/quirky.ts"
import { ownRegistry, temporary } from "../support/registries.ts"

const dir = temporary("scarce")
const at = (name: string): string => join(dir.path, name)
const source = at("source")
const tags = ["v1", "v2", "v3"]
const fifty = Array.from({ length: 50 }, (_, at) => `t${at}`)
let images: Readonly<Record<string, Named>>
let registry: Started

type Tool = "regctl" | "regsync" | "regbot"
type Env = Readonly<Record<string, string>>

/** Runs a tool below a limit of open files. */
const limited = (files: number, name: Tool, args: ReadonlyArray<string>, env: Env = {}, input?: string): Promise<Ran> =>
  run(
    "sh",
    ["-c", `ulimit -n ${files} && exec "$@"`, "sh", process.execPath, tool(name), "--logopt", "json", ...args],
    {
      cwd: dir.path,
      env: { HOME: dir.path, REGCTL_CONFIG: at("regctl.json"), DOCKER_CONFIG: dir.path, ...env },
      ...(input === undefined ? {} : { input })
    }
  )
const plain = (name: Tool, args: ReadonlyArray<string>, env?: Env, input?: string) =>
  limited(1024, name, args, env, input)

const records = ({ err }: Ran): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))

/** Status 1, one last record with this reason, no stack and no untyped failure. */
const fails = (ran: Ran, reason: string, text: RegExp): void => {
  assert.strictEqual(ran.code, 1, ran.err)
  assert.strictEqual(records(ran).findLast(({ level }) => level === "ERROR")?.["reason"], reason, ran.err)
  assert.match(ran.err, text)
  assert.notMatch(ran.err, /internal error|\n {4}at /)
}

const sync = (name: string, ...targets: ReadonlyArray<string>): string => syncOf(source, name, targets)
const syncOf = (from: string, name: string, targets: ReadonlyArray<string>): string => {
  const entries = targets.map((target) => ({ source: `ocidir://${from}`, target, type: "repository" }))
  const creds = [{ registry: registry.host, tls: "disabled" }]
  const defaults = { skipDockerConfig: true, parallel: 4 }
  writeFileSync(at(name), JSON.stringify({ version: 1, creds, defaults, sync: entries }))
  return at(name)
}
const script = (name: string, body: string): string => {
  const creds = [{ registry: registry.host, tls: "disabled" }]
  const scripts = [{ name: "it", script: body }]
  writeFileSync(at(name), JSON.stringify({ version: 1, creds, defaults: { skipDockerConfig: true }, scripts }))
  return at(name)
}

const isWhole = (name: string): void => {
  const repository = registry.repository(name)
  assert.deepStrictEqual([...repository.tags.keys()].toSorted(), tags)
  for (const digest of repository.tags.values()) assert.deepStrictEqual(lacking(repository, digest), [])
}

beforeAll(async () => {
  registry = await quirky()
  makeLayout(source)
  images = Object.fromEntries(tags.map((tag) => [
    tag,
    addImage(source, Array.from({ length: 100 }, (_, n) => Buffer.alloc(6_000, `${tag} ${n} `)))
  ]))
  tagAll(source, images)
  makeLayout(at("many"))
  const shared = addBlob(at("many"), "shared")
  tagAll(at("many"), Object.fromEntries(fifty.map((it) => [it, addImage(at("many"), [shared, it])])))
  writeFileSync(at("regctl.json"), JSON.stringify({ hosts: { [registry.host]: { tls: "disabled" } } }), { mode: 0o600 })
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

describe("L16: with 64 open files", () => {
  it("regctl copies 100 layers into a registry and a layout, and exports them", async () => {
    for (const tag of tags) {
      const { code, err } = await limited(64, "regctl", [
        "image",
        "copy",
        `ocidir://${source}:${tag}`,
        `${registry.host}/regctl:${tag}`
      ])
      assert.strictEqual(code, 0, err)
    }
    isWhole("regctl")
    const copied = await limited(64, "regctl", ["image", "copy", `${registry.host}/regctl:v1`, "ocidir://few:v1"])
    assert.strictEqual(copied.code, 0, copied.err)
    assert.deepStrictEqual(judge(at("few")), { tags: { v1: images["v1"]?.digest ?? "" }, problems: [], extra: [] })
    const exported = await limited(64, "regctl", ["image", "export", `ocidir://${source}:v1`, "few.tar"])
    assert.strictEqual(exported.code, 0, exported.err)
  })

  it("regsync and regbot do the same", async () => {
    const file = sync("few.yml", `${registry.host}/regsync`, `ocidir://${at("synced")}`)
    const synced = await limited(64, "regsync", ["once", "-c", file])
    assert.strictEqual(synced.code, 0, synced.err)
    isWhole("regsync")
    assert.deepStrictEqual(judge(at("synced")).problems, [])
    const body = `for _, t in ipairs(tag.ls("ocidir://${source}")) do
      image.copy("ocidir://${source}:" .. t, "${registry.host}/regbot:" .. t)
    end`
    const botted = await limited(64, "regbot", ["once", "-c", script("few-bot.yml", body)])
    assert.strictEqual(botted.code, 0, botted.err)
    isWhole("regbot")
  })

  it("regsync copies 50 tags into a registry and a layout", async () => {
    const file = syncOf(at("many"), "fifty.yml", [`${registry.host}/fifty`, `ocidir://${at("fifty")}`])
    const synced = await limited(64, "regsync", ["once", "-c", file])
    assert.strictEqual(synced.code, 0, synced.err)
    assert.deepStrictEqual([...registry.repository("fifty").tags.keys()].toSorted(), fifty.toSorted())
    const { problems, tags } = judge(at("fifty"))
    assert.deepStrictEqual([problems, Object.keys(tags).toSorted()], [[], fifty.toSorted()])
  })

  it("regctl serve takes 100 layers and a hundred connections, and goes on", async () => {
    const server = await ownRegistry(["--dir", at("served")], ["sh", "-c", `ulimit -n 64 && exec "$@"`, "sh"])
    const target = `${server.host}/app:v1`
    const host = ["--host", `reg=${server.host},tls=disabled`]
    const copied = await plain("regctl", [...host, "image", "copy", `ocidir://${source}:v1`, target])
    assert.strictEqual(copied.code, 0, copied.err)
    const sockets = Array.from({ length: 100 }, () => connect(Number(server.host.split(":")[1]), "127.0.0.1"))
    const answers = await Promise.all(sockets.map((it) =>
      new Promise<string>((resolve) => {
        it.on("error", () => resolve("closed")).on("close", () => resolve("closed"))
        it.on("data", (answer: Buffer) => resolve(answer.toString().split("\r\n")[0] ?? ""))
        it.write("GET /v2/app/tags/list HTTP/1.1\r\nHost: here\r\n\r\n")
      })
    ))
    for (const it of answers) assert.match(it, /^(?:closed|HTTP\/1\.1 (?:200 OK|500 Internal Server Error))$/)
    for (const it of sockets) it.destroy()
    const digest = await plain("regctl", [...host, "image", "digest", target])
    assert.strictEqual(digest.out.trim(), images["v1"]?.digest, digest.err)
    await server.stop()
    assert.deepStrictEqual(judge(at("served/app")).problems, [])
  })

  it("L16: 256 are enough for regsync and regbot", async () => {
    const file = syncOf(at("many"), "enough.yml", [`${registry.host}/enough`, `ocidir://${at("enough")}`])
    const body = `for _, t in ipairs(tag.ls("ocidir://${source}")) do
      image.copy("ocidir://${source}:" .. t, "${registry.host}/enough-bot:" .. t)
    end`
    const ran = await Promise.all([
      limited(256, "regsync", ["once", "-c", file]),
      limited(256, "regbot", ["once", "-c", script("enough-bot.yml", body)])
    ])
    assert.deepStrictEqual(ran.map(({ code }) => code), [0, 0], ran.map(({ err }) => err).join("\n"))
    isWhole("enough-bot")
  })

  it("L16: and with 28, a tool says so and leaves no part", async () => {
    const ran = await limited(28, "regctl", ["image", "copy", `ocidir://${source}:v1`, "ocidir://fewer:v1"])
    fails(ran, "FsIo", /(?:fewer|source).*: too many open files, raise their limit \(ulimit -n\)/)
    const { extra, problems, tags } = judge(at("fewer"))
    assert.deepStrictEqual({ extra, problems, tags }, { extra: [], problems: [], tags: {} })
    const bot = await limited(28, "regbot", [
      "once",
      "-c",
      script("fewer.yml", `image.copy("ocidir://${source}:v1", "ocidir://${at("fewer")}:v1")`)
    ])
    assert.strictEqual(bot.code, 1, bot.err)
    assert.match(bot.err, /too many open files, raise their limit \(ulimit -n\)/)
    assert.deepStrictEqual(judge(at("fewer")).problems, [])
    // The thread of a script cannot start.
    fails(await limited(24, "regbot", ["once", "-c", at("fewer.yml")]), "FsIo", /too many open files/)
  })
})

describe("L01: on a full file system", () => {
  const full = at("full")
  let isMounted = false
  const old = () => judge(at("full/layout"))
  let before: ReturnType<typeof old>

  beforeAll(() => {
    mkdirSync(full)
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", full], { stdio: "ignore" })
      isMounted = true
    } catch {
      // Without the right to mount the tools are told that there is no room.
    }
    makeLayout(at("full/layout"))
    tagAll(at("full/layout"), { kept: addImage(at("full/layout"), ["kept"]) })
    mkdirSync(at("full/tmp"))
    writeFileSync(at("full/old.tar"), "old")
    writeFileSync(at("full/report.jsonl"), "old")
    writeFileSync(at("full/regctl.json"), readFileSync(at("regctl.json")), { mode: 0o600 })
    before = old()
    writeFileSync(at("full/ballast"), "")
    try {
      if (isMounted) writeFileSync(at("full/ballast"), Buffer.alloc(4_000_000))
    } catch {
      // That is what it is for.
    }
  })
  afterAll(() => {
    if (isMounted) execFileSync("umount", [full])
  })
  const there: typeof plain = (name, args, env = {}, input) =>
    plain(name, args, isMounted ? env : { ...env, ...fullDisk({ dir: full, from: 0 }) }, input)
  const noSpace = /no space left on device/

  it("regctl says so of a layout, a tar, its temporary files and its configuration, which stay as they were", async () => {
    const commands: ReadonlyArray<readonly [ReadonlyArray<string>, Env?, string?]> = [
      [["image", "copy", `ocidir://${source}:v1`, "ocidir://full/layout:v1"]],
      [["image", "export", `ocidir://${source}:v1`, "full/old.tar"]],
      [["image", "export", `ocidir://${source}:v1`, "full/new.tar"]],
      [["image", "mod", `ocidir://${source}:v1`, "--create", "ocidir://modified:v1", "--layer-compress", "gzip"], {
        TMPDIR: at("full/tmp")
      }],
      [["registry", "set", "--tls", "disabled", "other.example"], { REGCTL_CONFIG: at("full/regctl.json") }]
    ]
    const config = readFileSync(at("full/regctl.json"), "utf8")
    for (const [args, env, input] of commands) fails(await there("regctl", args, env, input), "FsNoSpace", noSpace)
    assert.deepStrictEqual(old(), before)
    assert.strictEqual(readFileSync(at("full/old.tar"), "utf8"), "old")
    assert.strictEqual(readFileSync(at("full/regctl.json"), "utf8"), config)
    assert.deepStrictEqual(
      readdirSync(full).toSorted(),
      ["ballast", "layout", "old.tar", "regctl.json", "report.jsonl", "tmp"]
    )
    assert.deepStrictEqual(readdirSync(at("full/tmp")), [])
  })

  it("regsync says so of a layout and of its report, and does the other entries", async () => {
    const file = sync("full.yml", `ocidir://${at("full/layout")}`, `ocidir://${at("other")}`)
    const ran = await there("regsync", ["once", "-c", file])
    assert.strictEqual(ran.code, 1, ran.err)
    assert.match(ran.err, noSpace)
    assert.notMatch(ran.err, /internal error/)
    assert.deepStrictEqual(old(), before)
    assert.deepStrictEqual(Object.keys(judge(at("other")).tags).toSorted(), tags)
    const reported = await there("regsync", [
      "once",
      "-c",
      sync("told.yml", `ocidir://${at("other")}`),
      "--report",
      "full/report.jsonl"
    ])
    assert.strictEqual(reported.code, 1, reported.err)
    assert.match(reported.err, noSpace)
    assert.deepStrictEqual(judge(at("other")).problems, [])
  })

  it("regbot tells its script, and fails where that does not mind it", async () => {
    const bodies = [
      `image.copy("ocidir://${source}:v1", "ocidir://${at("full/layout")}:v1")`,
      `image.exportTar("ocidir://${source}:v1", "${at("full/new.tar")}")`
    ]
    for (const body of bodies) {
      const ran = await there("regbot", ["once", "-c", script("full-bot.yml", body)], { TMPDIR: at("full/tmp") })
      fails(ran, "ScriptError", noSpace)
    }
    const caught = `local ok, said = pcall(function() ${bodies[0]} end) if not ok then log(tostring(said)) end`
    const ran = await there("regbot", ["once", "-c", script("caught.yml", caught)])
    assert.strictEqual(ran.code, 0, ran.err)
    assert.match(ran.err, noSpace)
    assert.deepStrictEqual(old(), before)
    assert.notInclude(readdirSync(full), "new.tar")
  })
})

describe("L01: a file system that gets full", () => {
  const layoutCalls = [
    "open .regclient-tmp-X",
    "write .regclient-tmp-X",
    "copyFile .regclient-tmp-X",
    "fsync .regclient-tmp-X",
    "rename X",
    "rename index.json"
  ]
  const small = at("room")
  const noRoom = /no space left on device/
  const from = (call: string) => fullDisk({ dir: small, from: call })

  beforeAll(() => {
    makeLayout(join(small, "layout"))
    tagAll(join(small, "layout"), { kept: addImage(join(small, "layout"), ["kept"]) })
    writeFileSync(join(small, "old.tar"), "old")
    writeFileSync(join(small, "regctl.json"), readFileSync(at("regctl.json")), { mode: 0o600 })
  })

  it.each(layoutCalls)("in a layout at «%s» is told, and the layout is what it was", async (call) => {
    const before = judge(join(small, "layout")).tags
    const ran = await plain(
      "regctl",
      ["image", "copy", `ocidir://${at("many")}:t1`, "ocidir://room/layout:v1"],
      from(call)
    )
    fails(ran, "FsNoSpace", noRoom)
    assert.include(ran.err, "room/layout")
    const { extra, problems, tags } = judge(join(small, "layout"))
    assert.deepStrictEqual({ problems, tags }, { problems: [], tags: before })
    assert.deepStrictEqual(extra.filter((it) => it.includes(".regclient-")), [])
  })

  it.each(["open", "write", "fsync"])(
    "at the «%s» of a tar or of the configuration keeps the old one",
    async (call) => {
      const config = readFileSync(join(small, "regctl.json"), "utf8")
      const env = from(`${call} .regclient-X.tmp`)
      for (
        const ran of await Promise.all([
          plain("regctl", ["image", "export", `ocidir://${source}:v1`, "room/old.tar"], env),
          plain("regctl", ["registry", "set", "--tls", "disabled", "other.example"], {
            ...env,
            REGCTL_CONFIG: join(small, "regctl.json")
          })
        ])
      ) fails(ran, "FsNoSpace", noRoom)
      assert.strictEqual(readFileSync(join(small, "old.tar"), "utf8"), "old")
      assert.strictEqual(readFileSync(join(small, "regctl.json"), "utf8"), config)
      assert.deepStrictEqual(readdirSync(small).toSorted(), ["layout", "old.tar", "regctl.json"])
    }
  )

  it("at the rename of either keeps the old one", async () => {
    const config = readFileSync(join(small, "regctl.json"), "utf8")
    const set = ["registry", "set", "--tls", "disabled", "other.example"]
    const exported = ["image", "export", `ocidir://${source}:v1`, "room/old.tar"]
    const own = { REGCTL_CONFIG: join(small, "regctl.json") }
    fails(await plain("regctl", set, { ...from("rename regctl.json"), ...own }), "FsNoSpace", noRoom)
    fails(await plain("regctl", exported, from("rename old.tar")), "FsNoSpace", noRoom)
    assert.strictEqual(readFileSync(join(small, "old.tar"), "utf8"), "old")
    assert.strictEqual(readFileSync(join(small, "regctl.json"), "utf8"), config)
    assert.deepStrictEqual(readdirSync(small).toSorted(), ["layout", "old.tar", "regctl.json"])
  })

  it("L04: comes before a file that a command writes has its name: it is synced first", async () => {
    const layout = `ocidir://${at("noted")}:v1`
    writeFileSync(at("note.txt"), "content")
    const put = ["artifact", "put", "--artifact-type", "application/example", "--file", "note.txt", layout]
    const stored = await plain("regctl", put)
    assert.strictEqual(stored.code, 0, stored.err)
    const [taken, log] = [at("taken"), at("calls")]
    mkdirSync(taken)
    const get = ["artifact", "get", layout, "--config-file", "taken/config.json"]
    const ran = await plain("regctl", get, fullDisk({ dir: taken, from: 1_000, log }))
    assert.strictEqual(ran.code, 0, ran.err)
    const calls = readFileSync(log, "utf8").split("\n").map((it) => it.replace(/^\d+ /, ""))
    assert.isBelow(calls.indexOf("fsync .regclient-X.tmp"), calls.indexOf("rename config.json"))
    assert.include(calls, "fsync .regclient-X.tmp")
  })

  it("is no matter for what is done by then: with room again the same command succeeds", async () => {
    const ran = await plain("regctl", ["image", "copy", `ocidir://${at("many")}:t1`, "ocidir://room/layout:v1"])
    assert.strictEqual(ran.code, 0, ran.err)
    const { extra, problems, tags } = judge(join(small, "layout"))
    assert.deepStrictEqual([Object.keys(tags).toSorted(), problems, extra], [["kept", "v1"], [], []])
  })
})
