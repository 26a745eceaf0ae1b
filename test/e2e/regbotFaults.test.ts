/** Scripts that never end, take all there is, or are ended (faults, section 6): the tool and other scripts go on. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { putBuild } from "../support/builds.ts"
import { unable } from "../support/privileges.ts"
import { quirky, type Started } from "../support/quirky.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"
import { judgeRows, type Row, runRows } from "../support/scripts.ts"

const dir = temporary("regbot-faults")
let registry: Running
/** A target that takes the bytes of uploads and says nothing, as long as a test wants that. */
let slow: Started

beforeAll(async () => {
  ;[registry, slow] = await Promise.all([dockerRegistry(), quirky()])
  await putBuild(registry.host, "app", { tags: ["v1"], labels: { version: "1.0" } })
})
afterAll(async () => {
  await Promise.all([registry.stop(), slow.stop()])
  dir.remove()
})

const once = (rows: ReadonlyArray<Row>, defaults: object = {}, args: ReadonlyArray<string> = []) =>
  runRows({ dir: dir.path, hosts: [registry.host, slow.host] }, rows, defaults, args)

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

describe("scripts that never end", () => {
  it("S01, S02: stop at their time wherever they loop, and nothing else does", async () => {
    const [ran, told] = await once(loops, { parallel: 4 })
    assert.strictEqual(ran.code, 1)
    judgeRows(loops, told, "ScriptTimeout")
  })

  it("S01: another finishes, and the tool exits within a second of the timeout", async () => {
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
    const [ran, told] = await once(rows, { parallel: 2 }, ["-v", "debug"])
    const exited = Date.now()
    assert.strictEqual(ran.code, 1)
    judgeRows(rows, told, "ScriptTimeout")
    const began = told.find(({ msg, script }) => msg === "Starting script" && script === "S01 loops")
    assert.isBelow(exited - Date.parse(began?.time ?? ""), 2_000 + 1_000)
  })
})

describe("scripts that take all memory", () => {
  it("S03: end with that, and the others do not", async () => {
    const [ran, told] = await once(bombs)
    assert.strictEqual(ran.code, 1)
    judgeRows(bombs, told, "ScriptMemory")
  })

  it("S03: give it back, whatever they filled it with", async (context) => {
    if (!existsSync("/proc/self/statm")) return unable(context, "/proc")
    // Files of a script are opened by the tool's own process: pages of 4 KiB, the second number those in memory. The
    // least of some looks, since the thread of the script before may still be on its way out.
    const script = `local least = math.huge
      for i = 1, 20 do
        tag.ls("REG/app")
        local f = io.open("/proc/self/statm")
        least = math.min(least, tonumber(f:read("*a"):match("^%d+ (%d+)")))
        f:close()
      end
      say(least)`
    const filled = [
      `local t = {} while true do t[#t + 1] = ("x"):rep(1e6) .. #t end`,
      `local t = {} while true do t[#t + 1] = ("x"):rep(5000) .. #t end`,
      `local t = {} while true do t[#t + 1] = ("x"):rep(1000):upper() end`,
      `local t = {} while true do t[#t + 1] = { #t } end`,
      `local t = {} while true do t[#t + 1] = (("x"):rep(1e6) .. #t):gmatch("x") end`,
      // What such strings are put together from is shared: they must not take their room later, all at once.
      `local s, t = ("x"):rep(3e7), {} for i = 1, 3000 do t[i] = s .. i end for i = 1, 3000 do t[i]:byte(1) end`,
      `local s, t = ("x"):rep(6e4), {} for i = 1, 999 do t[i] = s end local u = {} while true do u[#u + 1] = table.concat(t) end`,
      `local s = "x" while true do s = s .. s end`,
      // Looked at part by part, which took the process down.
      `os.date(("%c"):rep(26e5))`
    ].map((script, at): Row => ({ id: "S03", what: `bomb ${at}`, script, fails: memory }))
    const rows: ReadonlyArray<Row> = [
      { id: "S03", what: "warms up", script },
      { id: "S03", what: "before", script },
      ...filled.flatMap((bomb, at): ReadonlyArray<Row> => [bomb, { id: "S03", what: `after ${at}`, script }])
    ]
    const [ran, told] = await once(rows)
    assert.strictEqual(ran.code, 1)
    const pages = told.filter(({ msg }) => msg === "User script message").map(({ message = "" }) => Number(message))
    assert.strictEqual(pages.length, 2 + filled.length, ran.err)
    const [, before = NaN, ...after] = pages
    for (const it of after) assert.isBelow(4096 * (it - before), 64 * 1024 * 1024, pages.join(" "))
  })
})

describe("S13: a talkative script", () => {
  it("is cut short, line by line and in all", async () => {
    const script = `log(("x"):rep(10 * 1024 * 1024)) for i = 2, 100010 do log(i) end`
    const [ran, told] = await once([{ id: "S13", what: "log", script }])
    assert.strictEqual(ran.code, 0, ran.err.slice(-1000))
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
    judgeRows(rows, told, "ScriptTimeout")
    assert.deepStrictEqual([...slow.repository("other").tags], [])
    assert.isTrue(slow.asked.some(({ method, target }) => method === "DELETE" && target.includes("/uploads/")))
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
