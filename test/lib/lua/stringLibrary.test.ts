import { assert, describe, it } from "@effect/vitest"
import { overText, printed, raisedBy, run } from "./chunks.ts"

/** Expressions beside what printing them shows. */
const shows = (rows: ReadonlyArray<readonly [expression: string, text: string]>) => {
  const lines = printed(rows.map(([expression]) => `print(${expression})`).join("\n")).split("\n")
  assert.deepStrictEqual(rows.map(([expression], at) => [expression, lines[at] ?? ""]), rows.map((it) => [...it]))
}

describe("string", () => {
  it("cuts, joins and turns strings by bytes", () => {
    shows([
      ["('hello'):sub(2, 4), ('hello'):sub(-3), ('hello'):sub(2, -2), ('hello'):sub(4, 2)", "ell\tllo\tell\t"],
      ["('hello'):sub(-100, 100), ('hello'):sub(0), ('x'):sub(2^60), ('x'):sub(-2^60, 2^60)", "hello\thello\t\tx"],
      ["('hello'):byte(), ('hello'):byte(-1), ('abc'):byte(1, 10)", "104\t111\t97\t98\t99"],
      ["('abc'):byte(10), string.char(), string.char(72, 105.9)", "nil\t\tHi"],
      ["('aBc1'):upper(), ('aBc1'):lower(), ('abc'):reverse(), #'abc', ('é'):len()", "ABC1\tabc1\tcba\t3\t2"],
      ["('ab'):rep(3), ('ab'):rep(0), ('ab'):rep(-1), ('ab'):rep(2, ',')", "ababab\t\t\tabab"],
      ["string.len(12), (5 .. ''):rep(2)", "2\t55"]
    ])
  })

  it("takes numbers with fractions, huge ones and NaN where integers are meant", () => {
    shows([
      ["('x'):rep(2.7), ('hello'):sub(2.9, -1.2), ('abc'):byte(1.9)", "xx\tello\t97"],
      ["('x'):rep(0/0), ('x'):rep(-1/0), ('abc'):sub(0/0, 1/0), ('abc'):sub(-1/0, 2)", "\t\tabc\tab"],
      ["('abc'):find('b', 0/0), ('abc'):find('b', 1/0), ('abc'):find('b', -1/0)", "2\tnil\t2\t2"],
      ["('x'):rep('2'), string.format('%d', '10')", "xx\t10"]
    ])
    assert.strictEqual(raisedBy("string.char(256)"), "<string>:1: bad argument #1 to 'char' (invalid value)")
    assert.strictEqual(raisedBy("string.char(65, -1)"), "<string>:1: bad argument #2 to 'char' (invalid value)")
    assert.strictEqual(
      raisedBy("string.rep({}, 2)"),
      "<string>:1: bad argument #1 to 'rep' (string expected, got table)"
    )
    assert.strictEqual(
      raisedBy("string.rep('x')"),
      "<string>:1: bad argument #2 to 'rep' (number expected, got no value)"
    )
  })

  it("gives no bytecode", () => {
    assert.strictEqual(raisedBy("string.dump(function() end)"), "<string>:1: unable to dump given function")
  })

  it("refuses strings that are too long before they are there", () => {
    for (
      const source of [
        "('x'):rep(1e10)",
        "('x'):rep(1/0)",
        "return (('x'):rep(1e6):gsub('x', ('y'):rep(100)))",
        "return ('%s%s'):format(('x'):rep(6e7), ('x'):rep(6e7))",
        "local s = ('x'):rep(1e6) return s:gsub('x', function() return s end)"
      ]
    ) assert.strictEqual(raisedBy(source), "<string>:1: resulting string too large", source)
  })

  it("has its functions as methods of strings, with what scripts add", () => {
    shows([
      ["(function() function string.twice(s) return s .. s end return ('a'):twice() end)()", "aa"],
      [
        "getmetatable('').__index == string, string.gfind == string.gmatch, package.loaded.string == string",
        "true\ttrue\ttrue"
      ]
    ])
  })
})

describe("patterns", () => {
  it("find what those of Lua 5.1 find", () => {
    shows([
      ["('hello world'):find('o w'), ('hello'):find('l+')", "5\t3\t4"],
      ["('hello'):find('xyz'), (''):find(''), ('abc'):find('', 4)", "nil\t1\t4\t3"],
      ["('abc'):find('', 10)", "4\t3"],
      ["('a.b'):find('.', 2, true), ('a.b'):find('.', 2)", "2\t2\t2"],
      ["('a+b'):find('+', 1, true)", "2\t2"],
      ["('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key\tvalue"],
      ["('abc'):match('()b()')", "2\t3"],
      ["('2024-05-06'):match('(%d+)-(%d+)-(%d+)')", "2024\t05\t06"],
      ["('v1.2.3'):match('^v(%d+)%.(%d+)'), ('x'):match('y')", "1\tnil"],
      ["('f(a(b)c)d'):match('%b()'), ('[[x]'):match('%b[]')", "(a(b)c)\t[x]"],
      ["('THE (quick) fox'):find('%((%a+)%)')", "5\t11\tquick"],
      ["('say \"hi\" now'):match([[([\"'])(.-)%1]])", "\"\thi"],
      ["('a\\0b'):find('%z'), ('a\\0b'):match('%z(.)')", "2\tb"],
      ["('THE END'):gsub('%f[%a]%a+', string.lower)", "the end\t2"],
      ["('aaa'):match('a-$'), ('aaab'):match('^a-b'), ('aaa'):match('a?a?a?a?a')", "aaa\taaab\taaa"],
      ["('  trim  '):match('^%s*(.-)%s*$') .. '|'", "trim|"],
      ["('x-y'):match('[a-]+'), ('a-]'):match('[]]'), ('a-]'):match('[^]]+'), ('^'):match('[x^]')", "-\t]\ta-\t^"],
      ["('a-z'):match('[%a-z]+'), ('b-'):match('[%w%-]+'), ('5'):match('[0-9a-fA-F]')", "a-z\tb-\t5"],
      ["('a$'):match('a$'), ('a$'):match('a%$'), ('a$b'):match('a$b')", "nil\ta$\ta$b"],
      ["('abc'):match('((a)(b))'), ('ab'):match('(a)()(b)')", "ab\ta\t2\tb"],
      ["('abc'):match('.-'), ('abc'):match('.*', -1), ('abc'):match('^b'), ('abc'):match('^b', 2)", "\tc\tnil\tb"],
      ["('\\200\\255'):find('[\\128-\\255]+'), ('é'):match('%a')", "1\tnil"]
    ])
  })

  it("know the classes of bytes", () => {
    const members = (name: string) =>
      `(function() local n, s = 0, 0 for i = 0, 255 do if string.char(i):find('%${name}') then n = n + 1 s = s + i end end return n .. ':' .. s end)()`
    shows([..."acdlpsuwxzACDLPSUWXZ"].map((name): readonly [string, string] => [
      members(name),
      {
        a: "52:4862",
        c: "33:623",
        d: "10:525",
        l: "26:2847",
        p: "32:2086",
        s: "6:87",
        u: "26:2015",
        w: "62:5387",
        x: "22:1527",
        z: "1:0",
        A: "204:27778",
        C: "223:32017",
        D: "246:32115",
        L: "230:29793",
        P: "224:30554",
        S: "250:32553",
        U: "230:30625",
        W: "194:27253",
        X: "234:31113",
        Z: "255:32640"
      }[name] ?? ""
    ]))
  })

  it("are replaced by texts, tables and functions", () => {
    shows([
      ["('hello world'):gsub('o', '0')", "hell0 w0rld\t2"],
      ["('hello world'):gsub('(o)', '<%1>', 1)", "hell<o> world\t1"],
      ["('abc'):gsub('%w', '%0%0'), ('abc'):gsub('(a)(b)', '%2%1')", "aabbcc\tbac\t1"],
      ["('abc'):gsub('', '-'), ('abc'):gsub('.', {a = 1, b = false})", "-a-b-c-\t1bc\t3"],
      ["('abc'):gsub('b', false and 1 or '%%')", "a%c\t1"],
      ["('abc'):gsub('%w', function(c) if c == 'b' then return nil end return c:upper() end)", "AbC\t3"],
      ["('abc'):gsub('^a', 'x'), ('aaa'):gsub('^a', 'x')", "xbc\txaa\t1"],
      ["('$name is $age'):gsub('%$(%w+)', {name = 'x', age = 5})", "x is 5\t2"],
      ["('abc'):gsub('b', '%'), ('a b'):gsub(' ', '%-')", "a%c\ta-b\t1"],
      ["('abc def'):gsub('%f[%w]%w+', string.upper), ('x'):gsub('x', 'y', 0)", "ABC DEF\tx\t0"],
      ["('ab'):gsub('()', '%1'), ('a,b'):gsub(',', 1.5)", "1a2b3\ta1.5b\t1"]
    ])
    assert.strictEqual(raisedBy("('abc'):gsub('b', '%2')"), "<string>:1: invalid capture index")
    assert.strictEqual(
      raisedBy("('abc'):gsub('b', {b = {}})"),
      "<string>:1: invalid replacement value (a table)"
    )
    assert.strictEqual(
      raisedBy("('abc'):gsub('b', true)"),
      "<string>:1: bad argument #2 to 'gsub' (string/function/table expected)"
    )
  })

  it("are found one after the other", () => {
    const all = (call: string) =>
      `(function() local o = {} for a, b in ${call} do o[#o + 1] = a .. (b or '') end return table.concat(o, ' ') end)()`
    shows([
      [all("('a1 b2'):gmatch('%a%d')"), "a1 b2"],
      [all("('k=v, x=y'):gmatch('(%w+)=(%w+)')"), "kv xy"],
      [all("('abc'):gfind('()')"), "1 2 3 4"],
      [all("('aaa'):gmatch('^a')"), "a"],
      [all("('one two'):gmatch('x')"), ""]
    ])
  })

  it("may call anything from a function of gsub", () => {
    shows([
      ["('a b'):gsub('%w', function(c) return (c:gsub('.', function(d) return d:rep(2) end)) end)", "aa bb\t2"],
      ["pcall(string.gsub, 'a', 'a', function() error('no', 0) end)", "false\tno"],
      ["coroutine.wrap(function() return (('ab'):gsub('.', {a = 'x'})) end)()", "xb"]
    ])
  })

  it("that are malformed are refused with what is wrong", () => {
    for (
      const [pattern, message] of [
        ["[a", "malformed pattern (missing ']')"],
        ["[]", "malformed pattern (missing ']')"],
        ["[^", "malformed pattern (missing ']')"],
        ["%", "malformed pattern (ends with '%')"],
        ["(a", "unfinished capture"],
        ["a)", "invalid pattern capture"],
        ["%1", "invalid capture index"],
        ["(a%1)", "invalid capture index"],
        ["%bx", "unbalanced pattern"],
        ["%fx", "missing '[' after '%f' in pattern"],
        ["()".repeat(33), "too many captures"]
      ] as const
    ) assert.strictEqual(raisedBy(`('abc'):match('${pattern}')`), `<string>:1: ${message}`, pattern)
  })

  it("go as deep as they are long", () => {
    shows([
      ["#('x'):rep(3e4):match(('x?'):rep(2e4))", "20000"],
      ["#('x'):rep(1e4):match(('(x'):rep(30) .. (')'):rep(30))", "30"],
      ["#(('('):rep(1e5) .. (')'):rep(1e5)):match('%b()')", "200000"]
    ])
  })
})

describe("S02: patterns that take exponential time", () => {
  const ends = (source: string) => {
    const { raised } = run(source, { checks: 50 })
    assert.strictEqual(raised?.message, `<string>:1: ${overText}`, source)
  }

  it("end at the deadline", () => {
    ends("('a'):rep(40):match(('a?'):rep(40) .. ('a'):rep(40) .. 'b')")
    ends("('a'):rep(1e5):match(('.-'):rep(9) .. 'b')")
    ends("('a'):rep(1e5):find(('.*'):rep(9) .. 'b')")
    ends("while true do pcall(string.gsub, ('a'):rep(1e4), ('.-'):rep(9) .. 'b', '') end")
    ends("for _ in ('a'):rep(1e5):gmatch(('.-'):rep(9) .. 'b') do end")
  })

  it("do not make plain searches slow", () => {
    assert.strictEqual(printed("print(('a'):rep(1e6):find(('a'):rep(5e5) .. 'b', 1, true))"), "nil")
    assert.strictEqual(printed("print((('a'):rep(1e6) .. 'b'):find(('a'):rep(5e5) .. 'b'))"), "500001\t1000001")
  })
})

describe("string.format", () => {
  it("prints integers as C does", () => {
    shows([
      ["('%d %i %5d|%-5d|%05d|%+d|% d'):format(3.99, -3.99, 42, 42, 42, 42, 42)", "3 -3    42|42   |00042|+42| 42"],
      ["('%.3d|%5.3d|%-+6.3d|%.0d|'):format(7, 7, 7, 0)", "007|  007|+007  ||"],
      ["('%d %d'):format(2^53, -2^53)", "9007199254740992 -9007199254740992"],
      ["('%u %x %X %#x %o %#o'):format(5, 255, 255, 255, 8, 8)", "5 ff FF 0xff 10 010"],
      ["('%x %u'):format(-1, -1)", "ffffffffffffffff 18446744073709551615"],
      ["('%d'):format(0/0), ('%d'):format(1/0)", "-9223372036854775808\t-9223372036854775808"],
      ["('%c%c%c|%3c'):format(76, 117, 97, 33)", "Lua|  !"]
    ])
  })

  it("prints numbers with fractions as C does", () => {
    shows([
      ["('%5.1f|%-8.2f|%08.3f|%+.0f'):format(3.14159, 2.5, -3.14159, 2)", "  3.1|2.50    |-003.142|+2"],
      ["('%.0f %.0f %.0f %.1f %.1f %.2f'):format(0.5, 1.5, 2.5, 0.25, 0.35, 2.675)", "0 2 2 0.2 0.3 2.67"],
      ["('%f %.3f %.20f'):format(1/3, 1e15, 0.1)", "0.333333 1000000000000000.000 0.10000000000000000555"],
      ["('%.0f'):format(1e22), ('%.1f'):format(2^70)", "10000000000000000000000\t1180591620717411303424.0"],
      [
        "('%e %E %.2e %.0e %e'):format(12345.678, 0.00012, 9.996, 15, 0)",
        "1.234568e+04 1.200000E-04 1.00e+01 2e+01 0.000000e+00"
      ],
      ["('%.3e %e'):format(1e100, 5e-324)", "1.000e+100 4.940656e-324"],
      ["('%g %g %g %g %g %g'):format(1e20, 0.0001, 1e-5, 100000, 1e6, 0.5)", "1e+20 0.0001 1e-05 100000 1e+06 0.5"],
      [
        "('%.3g|%10.4g|%G|%#g|%.17g'):format(1234.5, 3.14159, 1e-10, 1, 0.1)",
        "1.23e+03|     3.142|1E-10|1.00000|0.10000000000000001"
      ],
      ["('%.14g'):format(3.14159265358979), ('%g'):format(-0)", "3.1415926535898\t-0"],
      ["('%f %g %5.1f'):format(1/0, -1/0, 0/0)", "+Inf -Inf   NaN"]
    ])
  })

  it("prints any value as text, and texts as Lua reads them", () => {
    shows([
      ["('%s %s %s %s'):format(nil, true, 1.0, 'x')", "nil true 1 x"],
      ["('%s'):format(setmetatable({}, {__tostring = function() return 'mine' end}))", "mine"],
      ["('%5s|%-5s|%.2s|%5.1s|'):format('abc', 'abc', 'abc', 'abc')", "  abc|abc  |ab|    a|"],
      ["('%q'):format('a \"b\" \\\\ \\r \\0'), ('%s%%'):format(5)", "\"a \\\"b\\\" \\\\ \\r \\000\"\t5%"],
      ["(('%q'):format('a\\nb'):gsub('\\n', '<nl>'))", "\"a\\<nl>b\""],
      ["('no conversions'):format(1, 2), ('%%'):format()", "no conversions\t%"]
    ])
  })

  it("refuses what is no conversion", () => {
    for (
      const [call, message] of [
        ["'%y', 1", "invalid option '%y' to 'format'"],
        ["'%', 1", "invalid option '%' to 'format'"],
        ["'%a', 1", "invalid option '%a' to 'format'"],
        ["'%99999999d', 1", "invalid format (width or precision too long)"],
        ["'%.100f', 1", "invalid format (width or precision too long)"],
        ["'%-+ #0-d', 1", "invalid format (repeated flags)"],
        ["'%d', 'x'", "bad argument #2 to 'format' (number expected, got string)"],
        ["'%d'", "bad argument #2 to 'format' (number expected, got no value)"],
        ["'%s'", "bad argument #2 to 'format' (no value)"]
      ] as const
    ) assert.strictEqual(raisedBy(`string.format(${call})`), `<string>:1: ${message}`, call)
  })
})
