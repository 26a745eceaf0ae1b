import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { overText, printed, raisedBy, run } from "./chunks.ts"

let dir = ""
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lua-"))
  mkdirSync(join(dir, "sub"))
  const files = {
    "mine.lua": "#!/usr/bin/lua\nlocal M = {name = ...} function M.hi() return 'hi' end return M",
    "sub/deep.lua": "return 'deep'",
    "plain": "return 'plain'",
    "json.lua": "return {decode = 'own'}",
    "nothing.lua": "loads = (loads or 0) + 1",
    "no.lua": "return false",
    "wrong.lua": "x = = 2",
    "raises.lua": "error 'boo'",
    "loop.lua": "return require 'loop'",
    "code.lua": "\u001bLuaR",
    "escapes.lua": "return '\\d\\.'",
    "old.lua":
      "module('old.style', package.seeall) value = 5 function get() return value, _NAME, _PACKAGE, _M == old.style, tostring(print == nil) end"
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
})
afterAll(() => rmSync(dir, { recursive: true }))

/** What a chunk prints with modules of files. */
const withModules = (source: string, path = "D/?;D/?.lua"): string =>
  printed(source, { environment: { LUA_PATH: path.replaceAll("D", dir) } }).replaceAll(dir, "D")

describe("package.path", () => {
  it("is LUA_PATH, in which two semicolons stand for the default", () => {
    const pathFor = (LUA_PATH: string) => printed("print(package.path)", { environment: { LUA_PATH } })
    const usual = "./?.lua;/usr/local/share/lua/5.1/?.lua;/usr/local/share/lua/5.1/?/init.lua"
    assert.strictEqual(printed("print(package.path)"), usual)
    assert.strictEqual(pathFor("/a/?;/b/?.lua"), "/a/?;/b/?.lua")
    assert.strictEqual(pathFor("/a/?;;"), `/a/?;${usual}`)
    assert.strictEqual(pathFor(";;/a/?"), `${usual};/a/?`)
    assert.strictEqual(pathFor("/a/?;;/b/?"), `/a/?;${usual};/b/?`)
    assert.strictEqual(pathFor(";;"), usual)
  })

  it("comes with what scripts of 5.1 know of package", () => {
    assert.strictEqual(
      printed(
        "print(package.cpath == '', package.config:sub(1, 1), #package.loaders, package.loaded.string == string, package.loaded._G == _G, next(package.preload))"
      ),
      "true\t/\t3\ttrue\ttrue\tnil"
    )
  })
})

describe("require", () => {
  it("finds modules along the path, once", () => {
    assert.strictEqual(
      withModules("local m = require 'mine' print(m.hi(), m.name, m == require('mine'), package.loaded.mine == m)"),
      "hi\tmine\ttrue\ttrue"
    )
    assert.strictEqual(withModules("print(require 'sub.deep', require 'plain', require 'escapes')"), "deep\tplain\td.")
    assert.strictEqual(withModules("print(require 'nothing', require 'nothing', loads)"), "true\ttrue\t1")
    assert.strictEqual(withModules("print(require 'no', package.loaded.no)"), "false\tfalse")
  })

  it("says what it tried", () => {
    assert.strictEqual(
      withModules("print(pcall(require, 'a.b'))"),
      "false\t<string>:1: module 'a.b' not found:\n\tno field package.preload['a.b']\n\tno file 'D/a/b'\n\tno file 'D/a/b.lua'\n\tno bundled module 'a.b'"
    )
    assert.strictEqual(
      raisedBy("require()"),
      "<string>:1: bad argument #1 to 'require' (string expected, got no value)"
    )
  })

  it("names the file and line of what goes wrong", () => {
    assert.strictEqual(
      withModules("print(pcall(require, 'wrong'))"),
      "false\t<string>:1: error loading module 'wrong' from file 'D/wrong.lua':\n\tD/wrong.lua:1: unexpected symbol near '='"
    )
    assert.strictEqual(
      withModules("print(pcall(require, 'raises')) print(pcall(require, 'raises'))"),
      "false\tD/raises.lua:1: boo\nfalse\t<string>:1: loop or previous error loading module 'raises'"
    )
  })

  it("refuses bytecode", () => {
    assert.match(withModules("print(pcall(require, 'code'))"), /^false\t.*code\.lua.*attempt to load a binary chunk/s)
  })

  it("ends modules that require themselves", () => {
    assert.strictEqual(
      withModules("print(pcall(require, 'loop'))"),
      "false\tD/loop.lua:1: loop or previous error loading module 'loop'"
    )
  })

  it("takes what scripts put in front", () => {
    assert.strictEqual(
      withModules("package.preload.mine = function(...) return select('#', ...) .. ... end print(require 'mine')"),
      "1mine"
    )
    assert.strictEqual(
      withModules(
        "table.insert(package.loaders, 2, function(n) return function() return 'made ' .. n end end) print(require 'mine')"
      ),
      "made mine"
    )
    assert.strictEqual(
      withModules("package.path = package.path:match('^(.-)/') .. '/none/?' print((pcall(require, 'plain')))"),
      "false"
    )
    assert.strictEqual(raisedBy("package.path = nil require 'x'"), "<string>:1: 'package.path' must be a string")
    assert.strictEqual(raisedBy("package.loaders = nil require 'x'"), "<string>:1: 'package.loaders' must be a table")
  })

  it("prefers a user's own module to one that comes with the tool", () => {
    assert.strictEqual(withModules("print(require('json').decode, require('semver')('1.2').minor)"), "own\t2")
  })
})

describe("module", () => {
  it("makes a table with a name the environment of its file", () => {
    assert.strictEqual(
      withModules(
        "print(require 'old' == true, old.style.get()) print(value, old.style.value, require('old.style') == old.style)"
      ),
      "true\t5\told.style\told.\ttrue\tfalse\nnil\t5\ttrue"
    )
  })

  it("sees nothing but itself without package.seeall, and refuses taken names", () => {
    assert.strictEqual(
      printed(
        "local p = print local f = loadstring([[module 'bare' x = 1 seen = print]]) f() p(bare.x, bare.seen, bare._NAME, bare._PACKAGE == '', x)"
      ),
      "1\tnil\tbare\ttrue\tnil"
    )
    assert.strictEqual(raisedBy("taken = 5 module 'taken.deep'"), "<string>:1: name conflict for module 'taken.deep'")
  })
})

describe("dofile and loadfile", () => {
  it("run and compile files", () => {
    assert.strictEqual(
      withModules(
        "local D = package.path:match('^(.-)/%?') print(dofile(D .. '/plain'), loadfile(D .. '/plain')(), loadfile(D .. '/mine.lua')().hi())"
      ),
      "plain\tplain\thi"
    )
    assert.strictEqual(
      withModules("print(loadfile(package.path:match('^(.-)/%?') .. '/wrong.lua'))"),
      "nil\tD/wrong.lua:1: unexpected symbol near '='"
    )
    assert.match(
      withModules("print(loadfile(package.path:match('^(.-)/%?') .. '/code.lua'))"),
      /^nil\t.*attempt to load a binary chunk/
    )
    assert.strictEqual(
      withModules("print(pcall(dofile, '/none/x'))"),
      "false\tcannot open /none/x: No such file or directory"
    )
  })

  it("read no more than a string can have, and wait no longer than the script's time", () => {
    assert.strictEqual(
      withModules("print(pcall(loadfile, '/dev/zero'))"),
      "false\t<string>:1: resulting string too large"
    )
    const pipe = join(dir, "pipe")
    execFileSync("mkfifo", [pipe])
    // Somebody could write to it.
    const held = openSync(pipe, "r+")
    assert.strictEqual(
      run(`while true do pcall(loadfile, '${pipe}') end`, { checks: 5 }).raised?.message,
      `<string>:1: ${overText}`
    )
    closeSync(held)
  })
})

describe("S09: a sandbox", () => {
  const sandboxed = (source: string, path?: string) =>
    run(source, { isSandboxed: true, environment: path === undefined ? {} : { LUA_PATH: path.replaceAll("D", dir) } })

  it("has modules of the configured path and those of the tool alone", () => {
    assert.strictEqual(
      sandboxed("print(package, require('mine').hi(), require 'plain')", "D/?;D/?.lua").output,
      "nil\thi\tplain\n"
    )
    assert.strictEqual(
      sandboxed("print(require('semver')('1.2.3'), require('json').encode({1}))").output,
      "1.2.3\t[1]\n"
    )
    assert.strictEqual(
      sandboxed("require 'x'").raised?.message,
      "<string>:1: module 'x' not found:\n\tno field package.preload['x']\n\tno bundled module 'x'"
    )
    assert.strictEqual(
      sandboxed("require 'x'", ";;").raised?.message,
      "<string>:1: module 'x' not found:\n\tno field package.preload['x']\n\tno file '/usr/local/share/lua/5.1/x.lua'\n\tno file '/usr/local/share/lua/5.1/x/init.lua'\n\tno bundled module 'x'"
    )
  })

  it("lets no name lead out of the path", () => {
    for (const name of [`${dir}/plain`, dir.replaceAll("/", ".") + ".plain", "/etc/passwd"]) {
      assert.strictEqual(
        sandboxed(`require '${name}'`, "?;?.lua").raised?.message,
        `<string>:1: module '${name}' not found:\n\tno field package.preload['${name}']\n\tno bundled module '${name}'`
      )
    }
    assert.match(sandboxed("require '../plain'", "D/sub/?").raised?.message ?? "", /no file '.*\/sub\/\/\/\/plain'/)
  })
})
