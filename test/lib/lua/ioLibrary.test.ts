import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { overText, printed, raisedBy, run } from "./chunks.ts"

let dir = ""
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lua-"))
  writeFileSync(join(dir, "lines"), "one\ntwo\n\nlast")
  writeFileSync(join(dir, "numbers"), " 3 -4.5e1\n0x10 1e x")
})
afterAll(() => rmSync(dir, { recursive: true }))

/** What a chunk prints in which `F` is the path of a file. */
const of = (file: string, source: string): string =>
  printed(`local F = os.getenv('DIR') .. '/${file}' ${source}`, { environment: { DIR: dir } })

describe("io", () => {
  it("reads lines, counts of bytes, and everything", () => {
    assert.strictEqual(of("lines", "for l in io.lines(F) do io.write('[', l, ']') end"), "[one][two][][last]")
    assert.strictEqual(
      of("lines", "local f = io.open(F) print(f:read('*l', '*l', 2, '*l', '*l'))"),
      "one\ttwo\t\nl\tast\tnil"
    )
    assert.strictEqual(
      of(
        "lines",
        "local f = io.open(F) print(f:read(0), f:read(3), #f:read('*a'), f:read('*a'), f:read('*l'), f:read(0))"
      ),
      "\tone\t10\t\tnil\tnil"
    )
    assert.strictEqual(
      of("lines", "local f = io.open(F) print(f:read(), f:read('*line'), f:read(100))"),
      "one\ttwo\t\nlast"
    )
    assert.strictEqual(
      of("lines", "local f, n = io.open(F), 0 for l in f:lines() do n = n + 1 end print(n, io.type(f))"),
      "4\tfile"
    )
  })

  it("gives a command no more than a string can have", () => {
    assert.strictEqual(
      printed("local p = io.popen('true', 'w') print(p:write(('x'):rep(6e7))) print(p:write(('x'):rep(6e7)))"),
      "true\nnil\tFile too large\t27"
    )
  })

  it("reads numbers", () => {
    assert.strictEqual(of("numbers", "print(io.open(F):read('*n', '*n', '*n', '*n'))"), "3\t-45\t16\tnil")
  })

  it("writes, appends and moves", () => {
    assert.strictEqual(
      of(
        "out",
        "local f = io.open(F, 'w') print(f:write('one\\n', 2, '\\n', 1.5), f:seek(), f:close()) f = io.open(F, 'a') f:write('!') f:close() print(io.open(F):read('*a'))"
      ),
      "true\t9\ttrue\none\n2\n1.5!"
    )
    assert.strictEqual(
      of(
        "moved",
        "local f = io.open(F, 'w+') f:write('0123456789') print(f:seek('set', 2), f:read(2), f:seek(), f:seek('cur', 1), f:seek('end', -1), f:read(5)) f:seek('set', 3) f:write('xy') f:seek('set') print(f:read('*a'))"
      ),
      "2\t23\t4\t5\t9\t9\n012xy56789"
    )
    assert.strictEqual(
      of(
        "both",
        "local f = io.open(F, 'wb') f:write('abcdef') f:close() f = io.open(F, 'r+') print(f:read(2)) f:write('XY') f:close() print(io.open(F, 'rb'):read('*a'))"
      ),
      "ab\nabXYef"
    )
  })

  it("shows what is written at once when it is not buffered or flushed", () => {
    assert.strictEqual(
      of(
        "flushed",
        "local f = io.open(F, 'w') f:write('a') print(io.open(F):read('*a') == '') print(f:flush(), io.open(F):read('*a')) print(f:setvbuf('no')) f:write('b') print(io.open(F):read('*a'))"
      ),
      "true\ntrue\ta\ntrue\nab"
    )
  })

  it("closes what a script leaves open", () => {
    of("left", "io.open(F, 'w'):write('kept')")
    assert.strictEqual(readFileSync(join(dir, "left"), "utf8"), "kept")
    run("io.output(os.getenv('DIR') .. '/failed') io.write('kept') error('x')", { environment: { DIR: dir } })
    assert.strictEqual(readFileSync(join(dir, "failed"), "utf8"), "kept")
  })

  it("has default files", () => {
    assert.strictEqual(
      of(
        "default",
        "io.output(F) io.write('a\\nb') io.close() io.output(io.stdout) io.input(F) print(io.read(), io.read('*a'), io.read()) for l in io.lines() do print(l) end io.close(io.input()) print(pcall(io.read))"
      ),
      "a\tb\tnil\nfalse\t<string>:1: default input file is closed"
    )
    assert.strictEqual(printed("io.write('a', 1, '\\n') io.stdout:write('b')"), "a1\nb")
    assert.strictEqual(printed("print(io.stdout:close())"), "nil\tcannot close standard file")
    assert.strictEqual(printed("print(io.stdout:seek())"), "nil\tIllegal seek\t29")
    assert.strictEqual(printed("print(io.stdin:write('x'))"), "nil\tBad file descriptor\t9")
  })

  it("names what cannot be opened", () => {
    assert.strictEqual(printed("print(io.open('/none/x'))"), "nil\t/none/x: No such file or directory\t2")
    assert.strictEqual(
      of("", "print(select(3, io.open(F, 'w')), io.open(F, 'r'):read('*l'))"),
      "21\tnil\tIs a directory\t21"
    )
    assert.strictEqual(raisedBy("io.open('x', 'q')"), "<string>:1: bad argument #2 to 'open' (invalid mode)")
    assert.strictEqual(raisedBy("io.open('x', 'rw')"), "<string>:1: bad argument #2 to 'open' (invalid mode)")
    assert.strictEqual(
      raisedBy("for l in io.lines('/none/x') do end"),
      "<string>:1: bad argument #1 to 'lines' (/none/x: No such file or directory)"
    )
    assert.strictEqual(of("lines", "print(io.open(F):write('x'))"), "nil\tBad file descriptor\t9")
    assert.strictEqual(of("lines", "print(io.open(F, 'a'):read('*l'))"), "nil\tBad file descriptor\t9")
  })

  it("knows files and closed ones", () => {
    assert.match(
      of("lines", "local f = io.open(F) print(f) f:close() print(f)"),
      /^file \(0x[0-9a-f]+\)\nfile \(closed\)$/
    )
    assert.strictEqual(
      of("lines", "local f = io.open(F) print(io.type(f), f:close(), io.type(f), io.type(5), io.type({}))"),
      "file\ttrue\tclosed file\tnil\tnil"
    )
    assert.strictEqual(
      of("lines", "local f = io.open(F) f:close() print(pcall(f.read, f))"),
      "false\t<string>:1: attempt to use a closed file"
    )
    assert.strictEqual(
      of("lines", "local n = f for l in io.lines(F) do n = l end local f = io.open(F) print(n, f:read('*a'):sub(-4))"),
      "last\tlast"
    )
  })

  it("S08: takes nothing else for a file", () => {
    assert.strictEqual(
      raisedBy("io.stdout.write(5)"),
      "<string>:1: bad argument #1 to 'write' (FILE* expected, got number)"
    )
    assert.strictEqual(
      raisedBy("local p = newproxy() debug.setmetatable(p, getmetatable(io.stdout)) p:read()"),
      "<string>:1: calling 'read' on bad self (FILE* expected, got userdata)"
    )
    assert.strictEqual(
      raisedBy("io.stdout:write({})"),
      "<string>:1: bad argument #1 to 'write' (string expected, got table)"
    )
    assert.strictEqual(
      of("lines", "print(pcall(function() io.open(F):read('*x') end))"),
      "false\t<string>:1: bad argument #1 to 'read' (invalid format)"
    )
    assert.strictEqual(of("lines", "print(io.open(F):read(-5), io.open(F):read(0/0), #io.open(F):read(1/0))"), "\t\t13")
    assert.strictEqual(
      of("lines", "print(pcall(io.open(F).seek, io.open(F), 'set', -1))"),
      "true\tnil\tInvalid argument\t22"
    )
  })

  it("reads from commands and writes to them", () => {
    assert.strictEqual(
      printed("local p = io.popen('echo a; echo b; exit 3') print(p:read('*l'), p:read('*a'), p:close())"),
      "a\tb\n\t3"
    )
    assert.strictEqual(printed("for l in io.popen('printf \"x\\\\ny\"'):lines() do io.write(l, ';') end"), "x;y;")
    assert.strictEqual(
      of(
        "piped",
        "local p = io.popen('cat > ' .. F, 'w') print(p:write('x', 1), p:close()) print(io.open(F):read('*a'))"
      ),
      "true\t0\nx1"
    )
    assert.strictEqual(raisedBy("io.popen('true', 'rw')"), "<string>:1: bad argument #2 to 'popen' (invalid mode)")
  })

  it("keeps temporary files to itself", () => {
    assert.strictEqual(printed("local f = io.tmpfile() f:write('abc') f:seek('set', 1) print(f:read('*a'))"), "bc")
  })

  it("ends reading without end within the bounds", () => {
    assert.strictEqual(raisedBy("io.open('/dev/zero'):read('*a')"), "<string>:1: resulting string too large")
    assert.strictEqual(
      run("while true do io.open('/dev/zero'):read(1) end", { checks: 20 }).raised?.message,
      `<string>:1: ${overText}`
    )
  })
})

describe("S09: a sandbox", () => {
  it("has no files, no commands, and of os only what tells time and environment", () => {
    const { output } = run(
      "local n = {} for k in pairs(os) do n[#n + 1] = k end table.sort(n) print(table.concat(n, ' ')) " +
        "print(io, debug, package, dofile, loadfile, package and 1, os.execute)",
      { isSandboxed: true }
    )
    assert.strictEqual(output, "clock date difftime getenv time\nnil\tnil\tnil\tnil\tnil\tnil\tnil\n")
  })
})
