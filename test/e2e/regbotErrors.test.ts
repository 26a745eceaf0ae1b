/** Scripts with errors of their own (faults, section 6): each ends with a text that names its line, the others go on. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { putBuild } from "../support/builds.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"
import { judgeRows, nameOf, type Row, runRows } from "../support/scripts.ts"

const dir = temporary("regbot-errors")
let registry: Running

beforeAll(async () => {
  registry = await dockerRegistry()
  await putBuild(registry.host, "app", { tags: ["v1"], labels: { version: "1.0" } })
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

const once = (rows: ReadonlyArray<Row>, defaults: object = {}, args: ReadonlyArray<string> = []) =>
  runRows({ dir: dir.path, hosts: [registry.host] }, rows, defaults, args)

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
  { id: "S05", what: "a syntax error", script: `\nlocal x =`, fails: /^<string>:2: .* near <eof>$/ },
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
    fails: /^a.\[31mred\nlevel=ERROR\nstack/s
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

describe("scripts with errors", () => {
  it("S04 to S11: end with a text that names their line, and leave the others alone", async () => {
    const [ran, told] = await once(errors, { parallel: 4, timeout: "20s" })
    assert.strictEqual(ran.code, 1)
    judgeRows(errors, told, "ScriptError")
    assert.notInclude(ran.err, "\u001b")
    assert.match(ran.err, /^S05 escapes in an error: a\\x1b\[31mred\n\tlevel=ERROR\nstack traceback:$/m)
    // All of them are told at the end.
    const failures = errors.filter(({ fails }) => fails !== undefined)
    for (const row of failures) assert.include(ran.err, nameOf(row))
  })

  it("S09: --sandbox closes all", async () => {
    const [ran, told] = await once([{ id: "S09", what: "closed", script: `say(tostring(io), tostring(debug))` }], {}, [
      "--sandbox"
    ])
    assert.strictEqual(ran.code, 0, ran.err)
    assert.deepStrictEqual(told.map(({ message }) => message), ["nil nil"])
  })
})
