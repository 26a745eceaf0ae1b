/** Scripts that go wrong (faults, section 6): how each ends, what the tool says and exits with, and that others go on. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { putBuild } from "../support/builds.ts"
import { seed } from "../support/copies.ts"
import type { Ran } from "../support/programs.ts"
import { quirky, type Started } from "../support/quirky.ts"
import { regbot } from "../support/regbots.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("regbot-faults")
let registry: Running
/** Its target takes uploads and never answers them, as long as a test wants that. */
let slow: Started

beforeAll(async () => {
  ;[registry, slow] = await Promise.all([dockerRegistry(), quirky()])
  await putBuild(registry.host, "app", { tags: ["v1"], labels: { version: "1.0" } })
  seed(slow.repository("app"), "v1")
})
afterAll(async () => {
  await Promise.all([registry.stop(), slow.stop()])
  dir.remove()
})

interface Row {
  readonly id: string
  readonly what: string
  readonly script: string
  /** How it fails; without, it must not. */
  readonly fails?: RegExp
  /** What it prints, in order. */
  readonly prints?: ReadonlyArray<string | RegExp>
  readonly timeout?: string
  readonly sandbox?: boolean
}

interface Told {
  readonly level: string
  readonly msg: string
  readonly script?: string
  readonly error?: string
  readonly reason?: string
  readonly message?: string
}

const nameOf = ({ id, what }: Row): string => `${id} ${what}`

const configOf = (rows: ReadonlyArray<Row>, defaults: object): string =>
  JSON.stringify({
    version: 1,
    creds: [registry.host, slow.host].map((host) => ({ registry: host, tls: "disabled" })),
    defaults: { skipDockerConfig: true, ...defaults },
    scripts: rows.map((row) => ({
      name: nameOf(row),
      script: row.script.replaceAll("REG", registry.host).replaceAll("SLOW", slow.host),
      ...(row.timeout === undefined ? {} : { timeout: row.timeout }),
      ...(row.sandbox === undefined ? {} : { sandbox: row.sandbox })
    }))
  })

const toldOf = ({ err }: Ran): ReadonlyArray<Told> =>
  err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))

/** Runs all rows in one process; what scripts print goes through `log`, which names them. */
const once = async (rows: ReadonlyArray<Row>, defaults: object = {}): Promise<readonly [Ran, ReadonlyArray<Told>]> => {
  const prelude = `local function say(...)
    local t = {} for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end log(table.concat(t, " ")) end `
  const ran = await regbot(
    dir.path,
    ["once", "--logopt", "json"],
    configOf(rows.map((row) => ({ ...row, script: prelude + row.script })), defaults)
  )
  return [ran, toldOf(ran)]
}

/** Holds each row to what it says, and what fails to the reason that all of them have. */
const judge = (rows: ReadonlyArray<Row>, told: ReadonlyArray<Told>, reason: string): void => {
  for (const row of rows) {
    const own = told.filter(({ script }) => script === nameOf(row))
    const failures = own.filter(({ msg }) => msg === "Error running script")
    const lines = own.filter(({ msg }) => msg === "User script message").map(({ message }) => message)
    const story = `${nameOf(row)}\n${JSON.stringify(own, undefined, 1)}`
    if (row.fails === undefined) assert.deepStrictEqual(failures, [], story)
    else {
      assert.strictEqual(failures.length, 1, story)
      assert.strictEqual(failures[0]?.level, "WARN", story)
      assert.match(failures[0]?.error ?? "", row.fails, story)
    }
    const expected = row.prints ?? []
    assert.strictEqual(lines.length, expected.length, story)
    expected.forEach((it, at) =>
      typeof it === "string" ? assert.strictEqual(lines[at], it, story) : assert.match(lines[at] ?? "", it, story)
    )
  }
  assert.strictEqual(told.at(-1)?.level, "ERROR")
  assert.strictEqual(told.at(-1)?.reason, reason)
}

const late = /context deadline exceeded/
const loop = (id: string, what: string, script: string): Row => ({ id, what, script, timeout: "500ms", fails: late })

const loops: ReadonlyArray<Row> = [
  loop("S01", "loops", `while true do end`),
  loop("S01", "loops in pcall", `while true do pcall(function() while true do end end) end`),
  loop("S01", "loops in xpcall's handler", `xpcall(error, function() while true do end end)`),
  loop(
    "S01",
    "loops in a coroutine",
    `coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()`
  ),
  loop(
    "S01",
    "loops in a metamethod",
    `local t = setmetatable({}, { __index = function() while true do end end }) say(t.x)`
  ),
  loop("S01", "loops in a gsub callback", `("x"):gsub(".", function() while true do end end)`),
  loop("S01", "loops in a sort comparator", `table.sort({ 3, 2, 1 }, function() while true do end end)`),
  loop("S01", "loops over calls", `while true do pcall(tag.ls, "REG/app") end`),
  loop("S02", "an exponential pattern", `say(string.find(("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40)))`),
  loop("S02", "a polynomial pattern", `say(string.find(("a"):rep(1e5), (".-"):rep(9) .. "b"))`),
  loop("S02", "a pattern in pcall", `while true do pcall(string.find, ("a"):rep(1e5), (".-"):rep(9) .. "b") end`),
  { id: "S01", what: "another script", script: `for i = 1, 3 do tag.ls("REG/app") say(i) end`, prints: ["1", "2", "3"] }
]

const memory = /not enough memory|too large/
const bombs: ReadonlyArray<Row> = [
  { id: "S03", what: "a long repetition", script: `say(#("x"):rep(1e10))`, fails: memory },
  { id: "S03", what: "doubled strings", script: `local s = "x" while true do s = s .. s end`, fails: memory },
  { id: "S03", what: "a growing table", script: `local t = {} for i = 1, 1e9 do t[i] = { i } end`, fails: memory },
  {
    id: "S03",
    what: "a wide format",
    script: `say(pcall(string.format, "%99999999d", 1))`,
    prints: [/^false .*invalid (format|conversion)/]
  },
  { id: "S03", what: "another script", script: `say(#tag.ls("REG/app"))`, prints: ["1"] }
]

const errors: ReadonlyArray<Row> = [
  {
    id: "S04",
    what: "deep recursion",
    script: `local function f() return 1 + f() end say(pcall(f))`,
    prints: [/^false .*stack overflow/]
  },
  {
    id: "S04",
    what: "deep recursion that nobody catches",
    script: `local function f() return 1 + f() end f()`,
    fails: /^<string>:1: .*stack overflow/
  },
  {
    id: "S04",
    what: "an __index loop",
    script: `
      local t = {} setmetatable(t, { __index = t }) say(pcall(function() return t.x end))`,
    prints: [/^false .*(loop|recursion)/]
  },
  {
    id: "S04",
    what: "nested pcall",
    script: `local function f() return pcall(f) end say(type(f()))`,
    prints: ["boolean"]
  },
  {
    id: "S04",
    what: "a cyclic table for the host",
    script: `
      local t = {} t.t = t say(pcall(tag.ls, "REG/app", t))`,
    prints: [/^(false <string>|true table)/]
  },
  {
    id: "S04",
    what: "a deep table for the host",
    script: `
      local t = {} for i = 1, 1e5 do t = { t } end say(pcall(tag.ls, "REG/app", t))`,
    prints: [/^(false <string>|true table)/]
  },
  { id: "S05", what: "a syntax error", script: `\nlocal x =`, fails: /^<string>.*syntax error/s },
  {
    id: "S05",
    what: "a runtime error",
    script: `\nlocal t = nil\nsay(t.x)`,
    fails: /^<string>:3: attempt to index .*\nstack traceback:\n\t/s
  },
  {
    id: "S05",
    what: "error(text)",
    script: `error("on purpose")`,
    fails: /^<string>:\d+: on purpose\nstack traceback:/
  },
  { id: "S05", what: "error({})", script: `error({})`, fails: /^table: 0x[0-9a-f]+\nstack traceback:/ },
  { id: "S05", what: "error(nil)", script: `error(nil)`, fails: /^nil/ },
  {
    id: "S05",
    what: "a failing __tostring",
    script: `
      error(setmetatable({}, { __tostring = function() error("inner") end }))`,
    fails: /^(table: |.*inner)/s
  },
  {
    id: "S05",
    what: "escapes in an error",
    script: `error("a\\27[31mred\\nlevel=ERROR", 0)`,
    fails: /^a\\x1b\[31mred/
  },
  {
    id: "S06",
    what: "a call that fails in pcall",
    script: `
      say(pcall(manifest.get, "REG/app:absent")) say(pcall(tag.ls, "bad//ref")) say(#tag.ls("REG/app"))`,
    prints: [
      /^false <string>:\d+: Failed retrieving "127\.0\.0\.1:\d+\/app:absent" manifest: .*not found/,
      /^false <string>:\d+: bad argument #1 to .*\(reference parsing failed: invalid reference "bad\/\/ref"/,
      "1"
    ]
  },
  {
    id: "S07",
    what: "a yield from a comparator",
    script: `
      local co = coroutine.create(function() table.sort({ 3, 2, 1 }, function(a, b) coroutine.yield() return a < b end) end)
      local works, problem = coroutine.resume(co) say(works, type(problem))`,
    prints: [/^(false string|true nil)$/]
  },
  {
    id: "S07",
    what: "a dead coroutine",
    script: `
      local co = coroutine.create(function() end) coroutine.resume(co) say(coroutine.resume(co)) say(pcall(coroutine.yield))`,
    prints: [
      /^false .*dead coroutine/,
      /^false .*outside (of )?a coroutine/
    ]
  },
  {
    id: "S07",
    what: "a yield across pcall",
    script: `
      local co = coroutine.wrap(function() pcall(coroutine.yield, 1) return 2 end) say(co(), co())`,
    prints: ["1 2"]
  },
  {
    id: "S07",
    what: "calls in a coroutine that is left suspended",
    script: `
      local co = coroutine.wrap(function() coroutine.yield(#tag.ls("REG/app")) end) say(co())`,
    prints: ["1"]
  },
  {
    id: "S08",
    what: "wrong arguments",
    script: `
      for _, call in ipairs { function() tag.ls() end, function() tag.ls {} end, function() tag.ls(0 / 0) end,
        function() image.ratelimitWait("REG/app", 0 / 0, 1e300) end, function() image.ratelimitWait("REG/app", "5") end,
        function() log {} end, function() reference.new("REG/app"):tag {} end } do
        local works, problem = pcall(call)
        say(works, tostring(problem):match("bad argument #%d"))
      end`,
    prints: [
      "false bad argument #1",
      "false bad argument #1",
      "false bad argument #1",
      /^false/,
      "false bad argument #2",
      "false bad argument #1",
      /^false bad argument #/
    ]
  },
  {
    id: "S08",
    what: "forged objects",
    script: `
      local real = reference.new("REG/app:v1")
      local forged = setmetatable({ ref = "REG/app:v1" }, getmetatable(real) ~= false and reference or {})
      for _, it in ipairs { forged, newproxy(true), io.stdout } do say((pcall(manifest.head, it))) end
      say(pcall(reference.tag or real.tag, io.stdout))`,
    prints: ["false", "false", "false", /^false .*bad argument #1/]
  },
  {
    id: "S10",
    what: "changes the world",
    script: `
      getmetatable("").__index = function() return "changed" end
      string.format, table.concat, tag.ls = nil, nil, nil _G.left = "something" say(("x").y)`.replace(
      "table.concat, tag.ls = nil, nil, nil",
      "tag.ls = nil, nil"
    ),
    prints: ["changed"]
  },
  {
    id: "S10",
    what: "sees nothing of that",
    script: `
      say(tostring(left), ("x"):upper(), string.format("%d", 3), #tag.ls("REG/app"))`,
    prints: ["nil X 3 1"]
  },
  {
    id: "S11",
    what: "language of the host",
    script: `
      for _, it in ipairs { reference.new("REG/app:v1"), manifest.get("REG/app:v1"), tag, {}, tag.ls } do
        for _, name in ipairs { "constructor", "__proto__", "prototype", "toString" } do
          local works, value = pcall(function() return it[name] end)
          if works and value ~= nil then say(name, tostring(value)) end
        end
      end
      say(tostring(process), tostring(globalThis), tostring(js))`,
    prints: ["nil nil nil"]
  },
  {
    id: "S09",
    what: "bytecode",
    script: `
      local works, code = pcall(string.dump, function() end)
      say(works and loadstring(code) == nil or not works) say(loadstring("\\27Lua") == nil)`,
    prints: ["true", "true"]
  },
  {
    id: "S09",
    what: "a sandbox",
    sandbox: true,
    script: `
      say(tostring(io), tostring(debug), tostring(dofile), tostring(loadfile))
      say(tostring(os.execute), tostring(os.remove), tostring(os.exit), type(os.time), type(os.date), type(os.clock), type(os.difftime), type(os.getenv))
      say(pcall(image.exportTar, "REG/app:v1", "out.tar"))
      say(pcall(require, "secret"))`,
    prints: [
      "nil nil nil nil",
      "nil nil nil function function function function function",
      /^false <string>:\d+: /,
      /^false /
    ]
  },
  {
    id: "S09",
    what: "a sandbox that reads a file",
    sandbox: true,
    script: `io.open("/etc/passwd")`,
    fails: /^<string>:\d+: attempt to index/
  }
]

describe("scripts that never end", () => {
  it("S01, S02: stop at their time wherever they loop, and nothing else does", async () => {
    const [ran, told] = await once(loops, { parallel: 4 })
    assert.strictEqual(ran.code, 1)
    judge(loops, told, "ScriptTimeout")
  })

  it("S01: another finishes, and the tool ends within a second of the timeout", async () => {
    const rows: ReadonlyArray<Row> = [
      {
        id: "S01",
        what: "loops",
        timeout: "2s",
        script: `while true do pcall(function() while true do end end) end`,
        fails: late
      },
      { id: "S01", what: "works", script: `for i = 1, 20 do tag.ls("REG/app") end say("done")`, prints: ["done"] }
    ]
    const began = Date.now()
    const [ran, told] = await once(rows, { parallel: 2 })
    const elapsed = Date.now() - began
    assert.strictEqual(ran.code, 1)
    judge(rows, told, "ScriptTimeout")
    assert.isBelow(elapsed, 2_000 + 1_000 + 1_000, "the start of a process takes its time, too")
    assert.match(ran.err.trim().split("\n").at(-1) ?? "", /context deadline exceeded|stack traceback|^\s/)
  })
})

describe("scripts that take all memory", () => {
  it("S03: end with that, and the others do not", async () => {
    const [ran, told] = await once(bombs)
    assert.strictEqual(ran.code, 1)
    judge(bombs, told, "ScriptMemory")
  })
})

describe("scripts with errors", () => {
  it("S04 to S11: end with a text that names their line, and leave the others alone", async () => {
    const [ran, told] = await once(errors, { parallel: 4, timeout: "20s" })
    assert.strictEqual(ran.code, 1)
    judge(errors, told, "ScriptError")
    // All of them are told at the end, one error a line with its reason.
    const failures = errors.filter(({ fails }) => fails !== undefined)
    for (const row of failures) assert.include(ran.err, nameOf(row))
  })

  it("S09: --sandbox closes all", async () => {
    const rows: ReadonlyArray<Row> = [{ id: "S09", what: "closed", script: `say(tostring(io), tostring(debug))` }]
    const ran = await regbot(
      dir.path,
      ["once", "--sandbox", "--logopt", "json"],
      configOf(rows.map((row) => ({ ...row, script: `log(tostring(io) .. " " .. tostring(debug))` })), {})
    )
    assert.strictEqual(ran.code, 0, ran.err)
    assert.deepStrictEqual(toldOf(ran).map(({ message }) => message), ["nil nil"])
  })
})

describe("S13: a talkative script", () => {
  it("is cut short, line by line and in all", async () => {
    const script = `log(("x"):rep(10 * 1024 * 1024)) for i = 2, 100010 do log(i) end`
    const ran = await regbot(dir.path, ["once", "--logopt", "json"], configOf([{ id: "S13", what: "log", script }], {}))
    assert.strictEqual(ran.code, 0, ran.err.slice(-1000))
    const told = toldOf(ran)
    const messages = told.filter(({ msg }) => msg === "User script message")
    assert.isAtMost(messages[0]?.message?.length ?? 0, 10_100)
    assert.strictEqual(messages.length, 100_000)
    assert.strictEqual(told.length, 100_001)
    assert.strictEqual(told.at(-1)?.level, "WARN")
  })
})

describe("S14: a script that is stopped in the middle of a copy", () => {
  it("leaves no tag, and no upload", async () => {
    slow.quirk = (asked) => asked.method === "PUT" && asked.url.pathname.includes("/uploads/") ? "silence" : undefined
    const rows: ReadonlyArray<Row> = [
      {
        id: "S14",
        what: "copies",
        timeout: "1s",
        script: `image.copy("REG/app:v1", "SLOW/other:v1") say("never")`,
        fails: late
      },
      { id: "S14", what: "goes on", script: `say(#tag.ls("REG/app"))`, prints: ["1"] }
    ]
    slow.forget()
    const [ran, told] = await once(rows)
    slow.quirk = () => undefined
    assert.strictEqual(ran.code, 1)
    judge(rows, told, "ScriptTimeout")
    assert.deepStrictEqual([...slow.repository("other").tags], [])
    assert.deepStrictEqual(slow.incomplete, [])
  })
})

describe("S15: os.exit", () => {
  it("ends what others copy first, then the tool with that status", async () => {
    slow.quirk = (asked) => asked.method === "PUT" && asked.url.pathname.includes("/uploads/") ? "silence" : undefined
    slow.forget()
    const layout = join(dir.path, "half")
    const rows: ReadonlyArray<Row> = [
      { id: "S15", what: "copies", script: `image.copy("REG/app:v1", "SLOW/later:v1")` },
      {
        id: "S15",
        what: "copies into a layout",
        script: `image.copy("REG/app:v1", "ocidir://${layout}:v1") while true do end`
      },
      {
        id: "S15",
        what: "exits",
        // Both are at work by then.
        script: `repeat until pcall(manifest.head, "ocidir://${layout}:v1")
          local start = os.time() repeat until os.time() > start + 1
          os.exit(3)`
      }
    ]
    const [ran] = await once(rows, { parallel: 3 })
    slow.quirk = () => undefined
    assert.strictEqual(ran.code, 3, ran.err)
    assert.deepStrictEqual([...slow.repository("later").tags], [])
    assert.deepStrictEqual(slow.incomplete, [])
    assert.deepStrictEqual(readdirSync(layout).toSorted(), ["blobs", "index.json", "oci-layout"])
  })
})
