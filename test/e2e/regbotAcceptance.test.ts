/** What regbot has to show: the checklist of its description (section 15), by its numbers, with the built tool. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { digestAt, putBuild, putIndex, tagsAt } from "../support/builds.ts"
import type { Content } from "../support/contents.ts"
import { until } from "../support/daemons.ts"
import { asking } from "../support/distribution.ts"
import { ociManifest } from "../support/layouts.ts"
import type { Ran } from "../support/programs.ts"
import { quirky, type Started } from "../support/quirky.ts"
import { records, regbot, regbotServer, said } from "../support/regbots.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("acceptance")
let registry: Running
/** Says how many pulls are left, below /limited. */
let limited: Started
let pulls: () => number = () => 76
let one: Content
let two: Content
let index: Content

type Scripts = Readonly<Record<string, string | { readonly script: string; readonly [key: string]: unknown }>>

/** A configuration; `REG` in a script is the registry, `LIMITED` the one with a limit of pulls. */
const configOf = (scripts: Scripts, defaults: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    version: 1,
    creds: [registry.host, limited.host].map((host) => ({ registry: host, tls: "disabled" })),
    defaults,
    scripts: Object.entries(scripts).map(([name, it]) => {
      const entry = typeof it === "string" ? { script: it } : it
      return {
        name,
        ...entry,
        script: entry.script.replaceAll("REG", registry.host).replaceAll("LIMITED", limited.host)
      }
    })
  })

const once = (scripts: Scripts, args: ReadonlyArray<string> = [], defaults = {}, env = {}): Promise<Ran> =>
  regbot(dir.path, ["once", ...args], configOf(scripts, defaults), env)

const succeeded = (ran: Ran): ReadonlyArray<string> => {
  assert.strictEqual(ran.code, 0, ran.err)
  return ran.out.split("\n").slice(0, -1)
}

beforeAll(async () => {
  ;[registry, limited] = await Promise.all([dockerRegistry(), quirky()])
  one = await putBuild(registry.host, "app", { tags: ["v1", "same"], labels: { version: "1.0" } })
  two = await putBuild(registry.host, "app", { tags: ["v2"], labels: { version: "2.0" }, architecture: "arm64" })
  index = await putIndex(registry.host, "app", "index", { amd64: one, arm64: two })
  const { bytes, digest } = { bytes: one.bytes, digest: one.descriptor.digest }
  for (const name of ["limited", "free"]) {
    limited.repository(name).manifests.set(digest, { type: ociManifest, bytes })
    limited.repository(name).tags.set("v1", digest)
  }
  limited.quirk = (asked, proper) => {
    if (!asked.url.pathname.startsWith("/v2/limited/")) return undefined
    const answer = proper()
    const told = { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": `${pulls()};w=21600` }
    return { ...answer, headers: { ...answer.headers, ...told } }
  }
})
afterAll(async () => {
  await Promise.all([registry?.stop(), limited?.stop()])
  dir.remove()
})

describe("1: once", () => {
  it("runs scripts one after the other: an empty one, reads, a copy, a copy and a deletion", async () => {
    const lines = succeeded(
      await once({
        empty: "",
        list: `for i, t in ipairs(tag.ls "REG/app") do print(i, t) end`,
        label: `print(image.config(manifest.get("REG/app:index", "linux/amd64")).Config.Labels["version"])`,
        copy: `image.copy("REG/app:v1", "REG/copied:new")`,
        "copy and delete": `
          image.copy("REG/app:v1", "REG/copied:gone")
          print(#tag.ls "REG/copied")
          tag.delete("REG/copied:gone")`
      })
    )
    assert.deepStrictEqual(lines.slice(0, 4).map((it) => it.split("\t")[1]).toSorted(), ["index", "same", "v1", "v2"])
    assert.deepStrictEqual(lines.slice(4), ["1.0", "2"])
    assert.deepStrictEqual(await tagsAt(registry.host, "copied"), ["new"])
    assert.strictEqual(await digestAt(registry.host, "copied", "new"), one.descriptor.digest)
  })

  it("copies nothing with --dry-run", async () => {
    const ran = await once({ copy: `image.copy("REG/app:v1", "REG/dry:v1")` }, ["--dry-run"])
    assert.strictEqual(ran.code, 0, ran.err)
    assert.deepStrictEqual(records(ran.err), [
      `INFO msg="Copy image" script=copy source=${registry.host}/app:v1 target=${registry.host}/dry:v1 ` +
      "digestTags=false forceRecursive=false includeExternal=false dry-run=true"
    ])
    assert.strictEqual(await digestAt(registry.host, "dry", "v1"), null)
  })
})

describe("a dry run", () => {
  it("of every function that writes sends no request that does", async () => {
    writeFileSync(join(dir.path, "report.txt"), "all well")
    await registry.requests()
    const ran = await once({
      copies: `
        image.copy("REG/app:v1", "REG/dry/a:v1", {digestTags = true, referrers = true})
        image.copy{source = "REG/app:index", target = "REG/dry/b:v1", forceRecursive = true}
        image.copy("REG/app:v1", "ocidir://dry-layout:v1")
        image.exportTar("REG/app:v1", "dry.tar")
        image.importTar("REG/dry/c:v1", "dry.tar")
        print(#tag.ls "REG/dry/a", #tag.ls "REG/dry/b", #tag.ls "REG/dry/c")`,
      changes: `
        local m = manifest.get("REG/app:v1")
        m.annotations["org.example.note"] = "dry"
        local changed = m:export()
        changed:put("REG/app:put")
        manifest.put("REG/app:v2", "REG/app:put2")
        print(manifest.get("REG/app:put").annotations["org.example.note"])
        local digest, size = blob.put("REG/app", "dry")
        print(size, blob.get("REG/app", digest):read())
        blob.get("REG/app", m.config.digest):put("REG/dry/d")
        local modded = image.mod("REG/app:v1", {create = "modded", label = "dry=yes"})
        print(modded:tag(), image.config(modded).Config.Labels.dry)
        artifact.put{subject = "REG/app:v1", content = "report", artifactType = "text/x-report"}
        artifact.put("REG/dry/artifact:v1", {file = "report.txt", artifactType = "text/x-report"})
        print(#artifact.list("REG/app:v1"))`,
      deletes: `
        tag.delete("REG/app:same")
        manifest.head("REG/app:v2"):delete()
        manifest.getList("REG/app:index"):delete()
        for _, t in ipairs(tag.ls "REG/app") do if t == "same" or t == "v2" or t == "index" then print(t) end end`
    }, ["--dry-run"])
    const lines = succeeded(ran)
    assert.deepStrictEqual(lines, ["1\t1\t1", "dry", "3\tdry", "modded\tyes", "1"])
    const sent = (await registry.requests()).map(({ method }) => method)
    assert.isAbove(sent.length, 0)
    assert.deepStrictEqual([...new Set(sent)].toSorted(), ["GET", "HEAD"])
    assert.deepStrictEqual(["dry-layout", "dry.tar"].filter((it) => existsSync(join(dir.path, it))), [])
    assert.deepStrictEqual(await tagsAt(registry.host, "app"), ["index", "same", "v1", "v2"])
  })
})

describe("2: a timeout", () => {
  it("ends loops with and without calls, even inside pcall, and nothing else", async () => {
    const ran = await once({
      "calls": { timeout: "10ms", script: `while true do tag.ls "REG/app" end` },
      "spins": { timeout: "200ms", script: `while true do pcall(function() while true do end end) end` },
      "goes on": `log("still here")`
    }, ["--logopt", "json"])
    assert.strictEqual(ran.code, 1)
    const told = ran.err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))
    const failures = told.filter(({ msg }) => msg === "Error running script")
    assert.deepStrictEqual(failures.map(({ script }) => script), ["calls", "spins"])
    assert.strictEqual(told.at(-1)?.reason, "ScriptTimeout")
    for (const { error } of failures) assert.match(error, /^<string>:1: .*context deadline exceeded/)
    assert.deepStrictEqual(told.filter(({ msg }) => msg === "User script message").map(({ message }) => message), [
      "still here"
    ])
  })

  it("of one script leaves those beside it alone", async () => {
    const ran = await once(
      {
        spins: { timeout: "300ms", script: `while true do pcall(function() while true do end end) end` },
        works: `for i = 1, 20 do assert(#tag.ls "REG/app" == 4) end print "done"`
      },
      [],
      { parallel: 2 }
    )
    assert.strictEqual(ran.code, 1)
    assert.strictEqual(ran.out, "done\n")
  })
})

describe("3: descriptors", () => {
  it("are equal of tags that share a manifest, and name the type of an index", async () => {
    const lines = succeeded(
      await once({
        s: `
          print(manifest.descriptor("REG/app:v1").Digest == manifest.descriptor("REG/app:same").Digest)
          print(manifest.descriptor("REG/app:v1").Digest == manifest.descriptor("REG/app:v2").Digest)
          local m = manifest.getList("REG/app:index")
          print(m:descriptor().MediaType, m:descriptor().digest, m:descriptor().size)`
      })
    )
    const { digest, size } = index.descriptor
    assert.deepStrictEqual(lines, [
      "true",
      "false",
      `application/vnd.oci.image.index.v1+json\t${digest}\t${size}`
    ])
  })
})

// 4: the samples are those of examples/regbot, see regbotSamples.test.ts.

describe("5: several scripts", () => {
  /** Copies to a tag of its own, then waits for that of the other: only together do they end. */
  const meeting = (own: string, other: string) => `
    image.copy("REG/app:v1", "REG/meeting:${own}")
    repeat
      local found = false
      for _, t in ipairs(tag.ls "REG/meeting") do found = found or t == "${other}" end
    until found`

  it("run at once with parallel", async () => {
    const timeout = "60s"
    succeeded(
      await once(
        {
          a: { timeout, script: meeting("a", "b") },
          b: { timeout, script: meeting("b", "a") }
        },
        [],
        { parallel: 2 }
      )
    )
  })

  it("run in their order without, past one that fails", async () => {
    const ran = await once({
      first: `print "first" error("broken")`,
      second: `print "second"`,
      third: `print "third" local x = nil; x.y = 1`
    })
    assert.strictEqual(ran.code, 1)
    assert.strictEqual(ran.out, "first\nsecond\nthird\n")
    const failed = records(ran.err).filter((it) => it.startsWith("WARN"))
    assert.strictEqual(failed.length, 2)
    assert.match(
      failed[0] ?? "",
      /^WARN msg="Error running script" script=first error="<string>:1: broken\\nstack traceback:/
    )
    assert.match(
      failed[1] ?? "",
      /^WARN msg="Error running script" script=third error="<string>:1: attempt to index a /
    )
    assert.match(ran.err, /^first: <string>:1: broken$/m)
  })
})

describe("6: a failing call", () => {
  it("is a text with a position for pcall", async () => {
    const lines = succeeded(
      await once({
        s: `local ok, text = pcall(tag.ls, "bad//ref")
          print(ok, type(text))
          print(text)
          local ok, text = pcall(function() return manifest.get("REG/app:none") end)
          print(ok, text)`
      })
    )
    assert.strictEqual(lines[0], "false\tstring")
    assert.match(lines[1] ?? "", /^<string>:1: bad argument #1 to \S+ \(reference parsing failed: .*bad\/\/ref/)
    assert.match(lines[2] ?? "", /^false\t<string>:4: Failed retrieving "127\S+\/app:none" manifest: .*\[http 404\]/)
  })
})

describe("7: a changed manifest", () => {
  it("is pushed with its annotation; fields of the object cannot be assigned", async () => {
    const [assigned = ""] = succeeded(
      await once({
        s: `
          local m = manifest.get("REG/app:v1")
          m.annotations["org.example.note"] = "yes"
          m:export():put("REG/app:noted")
          local ok, text = pcall(function() m.annotations = {} end)
          print(text)`
      })
    )
    assert.match(assigned, /^<string>:\d+: attempt to index a non-table object\(userdata\) with key 'annotations'$/)
    const { bytes } = await asking(() => registry.host)("GET", "/v2/app/manifests/noted", undefined, {
      accept: ociManifest
    })
    const written: { readonly annotations?: unknown; readonly config?: unknown } = JSON.parse(bytes.toString())
    assert.deepStrictEqual(written.annotations, { "org.example.note": "yes" })
    assert.deepStrictEqual(written.config, JSON.parse(one.bytes.toString()).config)
  })
})

describe("8: image.ratelimitWait", () => {
  it("is true without a limit, waits while too few pulls are left, is false after its timeout", async () => {
    let asked = 0
    pulls = () => asked++ < 3 ? 5 : 100
    const ran = await once({
      free: `print(image.ratelimitWait("LIMITED/free:v1", 100))`,
      waits: `print(image.ratelimitWait("LIMITED/limited:v1", 50, "10ms", "1m"))`
    })
    assert.deepStrictEqual(succeeded(ran), ["true", "true"])
    assert.strictEqual(asked, 4)
    const line =
      `INFO msg="Delaying for ratelimit" script=waits image=${limited.host}/limited:v1 current=5 target=50 delay=10ms`
    assert.deepStrictEqual(records(ran.err), [line, line, line])
    pulls = () => 5
    assert.deepStrictEqual(
      succeeded(
        await once({
          "its own": `print(image.ratelimitWait("LIMITED/limited:v1", 50, "20ms", "50ms"))
            print(manifest.head("LIMITED/limited:v1"):ratelimit().Remain)`
        })
      ),
      ["false", "5"]
    )
  })

  it("is false when the time of the script is over", async () => {
    pulls = () => 5
    const script = `print(image.ratelimitWait("LIMITED/limited:v1", 50, "1h"))`
    const { out } = await once({ s: { timeout: "500ms", script } })
    assert.strictEqual(out, "false\n")
  })
})

describe("9: texts that are not ASCII", () => {
  it("survive a round trip through annotations and labels", async () => {
    const lines = succeeded(
      await once({
        s: `
          local m = manifest.get("REG/app:v1")
          local ic = image.config(m)
          ic.Config.Labels["org.example.größe"] = "naïve ☃ 𝄞"
          local c = ic:export()
          local digest, size = blob.put("REG/app", c)
          m.config.digest = digest
          m.config.size = size
          m.annotations["org.example.größe"] = "ü"
          m:export():put("REG/app:texts")
          print(image.config("REG/app:texts").Config.Labels["org.example.größe"])
          print(manifest.get("REG/app:texts").annotations["org.example.größe"])
          print(#image.config("REG/app:texts").Config.Labels["org.example.größe"])
          print(image.config("REG/app:texts").Config.Labels.version)`
      })
    )
    assert.deepStrictEqual(lines, ["naïve ☃ 𝄞", "ü", "15", "1.0"])
  })
})

describe("10: require", () => {
  it("finds modules by LUA_PATH, and json and semver", async () => {
    mkdirSync(join(dir.path, "lua-user/team"), { recursive: true })
    writeFileSync(join(dir.path, "lua-user/numbers.lua"), `return {twice = function(n) return n * 2 end}`)
    writeFileSync(
      join(dir.path, "lua-user/team/words.lua"),
      `local numbers = require "numbers"
module("words", package.seeall)
function repeated(text) return text:rep(numbers.twice(1)) end`
    )
    const lines = succeeded(
      await once(
        {
          s: `
            print(require("numbers").twice(21))
            require "team.words"
            print(words.repeated("ab"))
            local json = require "json"
            print(json.decode('{"a": [1, 2.5, {"b": "ü"}]}').a[3].b)
            print(json.encode({1, 2, {x = "y"}}))
            local semver = require "semver"
            print(semver("1.10.0") > semver("1.9.3"), tostring(semver("1.2.3"):nextMinor()))`
        },
        [],
        {},
        { LUA_PATH: `${dir.path}/lua-user/?;${dir.path}/lua-user/?.lua` }
      )
    )
    assert.deepStrictEqual(lines, ["42", "abab", "ü", `[1,2,{"x":"y"}]`, "true\t1.3.0"])
  })
})

describe("11: server", () => {
  it("runs at times and not at its start, skips a script at work, and ends one that waits at SIGTERM", async () => {
    pulls = () => 5
    writeFileSync(
      join(dir.path, "server.yml"),
      configOf({
        hourly: { interval: "1h", script: `log("hourly")` },
        waits: {
          interval: "1s",
          script: `log("waiting") image.ratelimitWait("LIMITED/limited:v1", 50, "30m") tag.ls "REG/app"`
        },
        ticks: { interval: "1s", script: `log("tick")` },
        never: `log("never")`
      })
    )
    const server = regbotServer(dir.path, ["server", "-c", "server.yml"])
    const count = (text: string) => said(server.err()).filter((it) => it === text).length
    await until("three ticks", () => count("tick") >= 3)
    assert.deepStrictEqual([count("waiting"), count("hourly"), count("never")], [1, 0, 0])
    assert.include(records(server.err())[0] ?? "", `ERROR msg="No schedule or interval found, ignoring" name=never`)
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 1)
    assert.include(records(server.err()), `INFO msg="Stopping server"`)
    assert.match(server.err(), / msg="Error running script" script=waits error=/)
  })
})
