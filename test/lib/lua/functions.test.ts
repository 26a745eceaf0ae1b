import { assert, describe, it } from "@effect/vitest"
import { printed, raisedBy, run } from "./chunks.ts"

describe("functions that Lua 5.1 has", () => {
  it("unpack gives a list as values", () => {
    assert.strictEqual(printed("print(unpack({1,2,3}))"), "1\t2\t3")
    assert.strictEqual(printed("print(unpack({1,2,3}, 2))"), "2\t3")
    assert.strictEqual(printed("print(unpack({1,2,3}, 2, 5))"), "2\t3\tnil\tnil")
    assert.strictEqual(printed("print(unpack({1,nil,3}))"), "1\tnil\t3")
    assert.strictEqual(printed("print(select('#', unpack({}, 1, 0)))"), "0")
    assert.strictEqual(printed("local t={} for i=1,20000 do t[i]=i end print(select('#', unpack(t)))"), "20000")
    assert.strictEqual(printed("print(pcall(unpack, {}, 1, 1e9))"), "false\t<string>:1: too many results to unpack")
  })

  it("loadstring and load compile texts and the pieces of a function", () => {
    assert.strictEqual(printed("print(loadstring('return 1+1')())"), "2")
    assert.strictEqual(printed("local i=0 print(load(function() i=i+1 return ({'return ', '7'})[i] end)())"), "7")
    assert.strictEqual(printed("print(load('return 8')())"), "8")
    assert.strictEqual(printed("print(loadstring('return 1+'))"), "nil\t<string>:1: unexpected symbol near <eof>")
  })

  it("loadstring names a chunk in messages", () => {
    assert.strictEqual(printed("print(pcall(loadstring('error(\"x\")', '=foo')))"), "false\tfoo:1: x")
    assert.strictEqual(printed("print(pcall(loadstring('error(\"x\")', 'foo')))"), "false\tfoo:1: x")
    assert.strictEqual(printed("print(pcall(loadstring('error(\"x\")')))"), "false\t<string>:1: x")
  })

  it("setfenv gives a function its own environment, and those made in it", () => {
    assert.strictEqual(printed("local f=function() return x end print(setfenv(f,{x=5})==f, f())"), "true\t5")
    assert.strictEqual(printed("setfenv(1,{y=6,print=print}) print(y)"), "6")
    assert.strictEqual(
      printed(
        "local function mk() return function() return x end end local a,b=mk(),mk() setfenv(a,{x=1}) setfenv(b,{x=2}) print(a(),b(),a==b)"
      ),
      "1\t2\tfalse"
    )
    assert.strictEqual(
      printed("local f=setfenv(function() return function() return z end end,{z=9}) print(f()())"),
      "9"
    )
    assert.strictEqual(printed("local e={} local f=setfenv(function() z=1 end,e) f() print(e.z, z)"), "1\tnil")
  })

  it("setfenv works by levels, getfenv names what is in force", () => {
    assert.strictEqual(
      printed(
        "local e={} local f=setfenv(function() return 1 end,e) print(getfenv(f)==e, getfenv(print)==_G, getfenv(1)==_G, getfenv()==_G, getfenv(0)==_G)"
      ),
      "true\ttrue\ttrue\ttrue\ttrue"
    )
    assert.strictEqual(
      printed(
        "local print=print local function inner() setfenv(2,{q=3}) end local function outer() inner() return q end print(outer())"
      ),
      "3"
    )
    assert.strictEqual(printed("setfenv(0,{w=4}) print(loadstring('return w')())"), "4")
    assert.strictEqual(
      printed("print(pcall(setfenv, print, {}))"),
      "false\t<string>:1: 'setfenv' cannot change environment of given object"
    )
    assert.strictEqual(
      printed("print(pcall(getfenv, 99))"),
      "false\t<string>:1: bad argument #1 to 'getfenv' (invalid level)"
    )
    assert.strictEqual(
      printed("local e={} local f=function() return v end debug.setfenv(f,e) print(debug.getfenv(f)==e)"),
      "true"
    )
  })

  it("newproxy makes userdata with a metatable to share", () => {
    assert.strictEqual(
      printed(
        "local p=newproxy(true) local q=newproxy(p) print(type(p), getmetatable(p)==getmetatable(q), getmetatable(newproxy()), getmetatable(newproxy(false)))"
      ),
      "userdata\ttrue\tnil\tnil"
    )
    assert.strictEqual(
      printed("local p=newproxy(true) getmetatable(p).__index=function(_,k) return k..'!' end print(p.x)"),
      "x!"
    )
  })

  it("table.getn and table.maxn give the length", () => {
    assert.strictEqual(printed("print(table.getn({1,2,3}), table.getn({}))"), "3\t0")
    assert.strictEqual(
      printed("print(table.maxn({1,2,[10]=1,[2.5]=1}), table.maxn({}), table.maxn({[1e9]=1}))"),
      "10\t0\t0"
    )
  })

  it("math has pow, mod, cosh, sinh, tanh, log10, ldexp, frexp and atan2", () => {
    assert.strictEqual(
      printed("print(math.pow(2,10), math.mod(7,3), math.log10(1000), math.ldexp(0.5,4), math.frexp(8))"),
      "1024\t1\t3\t8\t0.5\t4"
    )
    assert.strictEqual(
      printed("print(math.cosh(0), math.sinh(0), math.tanh(0), math.atan2(1,1))"),
      "1\t0\t0\t0.7853981633974483"
    )
    assert.strictEqual(
      printed("print(math.frexp(-3)) print(math.frexp(0.3)) print(math.frexp(0))"),
      "-0.75\t2\n0.6\t-1\n0\t0"
    )
    assert.strictEqual(
      printed("print(math.frexp(5e-324)) print(math.ldexp(0.5, -1073) == 5e-324, math.ldexp(1, 5000))"),
      "0.5\t-1073\ntrue\t+Inf"
    )
  })

  it("math.log takes a base", () => {
    assert.strictEqual(printed("print(math.log(8, 2), math.log(100, 10), math.log(1))"), "3\t2\t0")
  })

  it("math.random cuts its bounds off, and repeats itself after a seed", () => {
    assert.strictEqual(
      printed("local ok=true for i=1,200 do local c=math.random(2.5,4.5) ok=ok and c>=2 and c<=4 end print(ok)"),
      "true"
    )
    assert.strictEqual(
      printed(
        "math.randomseed(42) local a,b=math.random(1000),math.random() math.randomseed(42) print(a==math.random(1000), b==math.random(), b>=0 and b<1)"
      ),
      "true\ttrue\ttrue"
    )
    assert.strictEqual(
      printed("print(pcall(math.random, 0))"),
      "false\t<string>:1: bad argument #1 to 'math.random' (interval is empty)"
    )
  })

  it("collectgarbage counts, and else does nothing", () => {
    assert.strictEqual(
      printed(
        "print(type(collectgarbage('count')), collectgarbage(), collectgarbage('collect'), collectgarbage('setpause', 100))"
      ),
      "number\t0\t0\t0"
    )
  })

  it("coroutine.running is nil in the main chunk", () => {
    assert.strictEqual(
      printed("print(coroutine.running()) print(coroutine.wrap(function() return type(coroutine.running()) end)())"),
      "nil\nthread"
    )
  })

  it("_VERSION is that of Lua 5.1, and what came later is absent", () => {
    assert.strictEqual(printed("print(_VERSION)"), "Lua 5.1")
    assert.strictEqual(
      printed(
        "print(utf8, bit32, rawlen, table.unpack, table.pack, table.move, math.type, math.tointeger, coroutine.isyieldable, _ENV)"
      ),
      "nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil"
    )
  })

  it("has the names of each library, and no others", () => {
    const names = (library: string) =>
      printed(`local k={} for n in pairs(${library}) do k[#k+1]=n end table.sort(k) print(table.concat(k,' '))`)
    assert.strictEqual(names("coroutine"), "create resume running status wrap yield")
    assert.strictEqual(names("table"), "concat getn insert maxn remove sort")
    assert.strictEqual(
      names("math"),
      "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min mod modf pi pow rad random randomseed sin sinh sqrt tan tanh"
    )
    assert.strictEqual(
      names("debug"),
      "getfenv getinfo getlocal getmetatable getupvalue setfenv setlocal setmetatable setupvalue traceback"
    )
  })

  it("unknown escapes are the letter itself, and no line moves", () => {
    assert.strictEqual(printed(String.raw`print("\d\x41\z\u{41}\065\q\'\"\\")`), `dx41zu{41}Aq'"\\`)
    assert.strictEqual(printed("print([[\\d]], 'a\\\nb', \"--\\w\") --\\q '"), "\\d\ta\nb\t--w")
    assert.strictEqual(
      raisedBy("local a = '\\w\\s'\n-- it's \\d\n--[==[ '\\d\n]==] local b = \"\\z\"\n\nerror('x')"),
      "<string>:6: x"
    )
  })

  it("arg has the arguments of a function that does not use `...`", () => {
    assert.strictEqual(printed("local function f(...) return arg.n, arg[1], arg[2] end print(f(7,8))"), "2\t7\t8")
    assert.strictEqual(
      printed("local function f(a, ...) for i = 1, arg.n do print(a, arg[i]) end end f(7, nil, 9)"),
      "7\tnil\n7\t9"
    )
    assert.strictEqual(
      printed(
        "local t = {} function t.a.f() end".replace(".a", "") +
          " function t:g(...) if true then return (function() return arg.n end)() end end print(t:g(1,2,3))"
      ),
      "3"
    )
    assert.strictEqual(printed("local function f(...) local x = ... return arg end print(f(7), arg)"), "nil\tnil")
    assert.strictEqual(
      printed("local function f(...) return ('... end arg'):len() --[[ arg ... ]] end print(f(1))"),
      "11"
    )
    assert.strictEqual(
      raisedBy("local function f(...)\n  local n = arg.n\n  error(n)\nend\nrepeat f(1) until true"),
      "1"
    )
    assert.strictEqual(raisedBy("local function f(...)\n  error('x' .. arg.n)\nend\nf(1)"), "<string>:2: x1")
  })

  it("goto is a word of the language", () => {
    assert.strictEqual(printed("local n=0 ::top:: n=n+1 if n<3 then goto top end print(n)"), "3")
    assert.strictEqual(raisedBy("local goto = 1"), "<string>:1: <name> expected near 'goto'")
  })

  it("bytecode is refused wherever it comes from", () => {
    const refused = "attempt to load a binary chunk (mode is 't')"
    assert.strictEqual(printed("print(load('\\27Lua'))"), `nil\t${refused}`)
    assert.strictEqual(printed("print(loadstring('\\27LuaS'))"), `nil\t${refused}`)
    assert.strictEqual(printed("print(load('\\27Lua', 'n', 'b'))"), `nil\t${refused}`)
    assert.strictEqual(raisedBy(Buffer.from("\u001bLua")), refused)
  })

  it("a first line for a shell and a byte order mark are no part of a script", () => {
    assert.strictEqual(raisedBy("#!/usr/bin/lua\nerror('x')"), "<string>:2: x")
    assert.strictEqual(raisedBy("\u{feff}error('x')"), "<string>:1: x")
  })

  it("files are absent in a sandbox", () => {
    const { output } = run("print(dofile, loadfile, debug)", { isSandboxed: true })
    assert.strictEqual(output, "nil\tnil\tnil\n")
  })
})

describe("basic functions", () => {
  it("select counts from the end too", () => {
    assert.strictEqual(
      printed("print(select(-1,1,2,3)) print(select(2,'a','b','c')) print(select('#',nil,nil)) print(select(9,1))"),
      "3\nb\tc\n2\n"
    )
    assert.strictEqual(
      printed("print(pcall(select, 0, 1))"),
      "false\t<string>:1: bad argument #1 to 'select' (index out of range)"
    )
  })

  it("tostring shows values, and gives what a metamethod gives", () => {
    assert.strictEqual(
      printed("print(tostring(nil), tostring(true), tostring(1.5), tostring('x'))"),
      "nil\ttrue\t1.5\tx"
    )
    assert.strictEqual(
      printed(
        "print((tostring({}):gsub('0x%x+','A')), (tostring(print):gsub('0x%x+','A')), (tostring(newproxy()):gsub('0x%x+','A')))"
      ),
      "table: A\tfunction: A\tuserdata: A"
    )
    assert.strictEqual(printed("print(tostring(setmetatable({}, {__tostring=function() return 5 end})))"), "5")
    assert.strictEqual(printed("print((tostring(setmetatable({}, {__name='X'})):gsub('0x%x+','A')))"), "table: A")
    assert.strictEqual(printed("local t={} print(tostring(t)==tostring(t), tostring(t)==tostring({}))"), "true\tfalse")
  })

  it("assert puts the place in front of a text", () => {
    assert.strictEqual(printed("print(assert(1,2,3))"), "1\t2\t3")
    assert.strictEqual(raisedBy("\nassert(false)"), "<string>:2: assertion failed!")
    assert.strictEqual(raisedBy("\nassert(nil, 'msg')"), "<string>:2: msg")
  })

  it("error names the place by levels", () => {
    assert.strictEqual(
      printed("print(pcall(function() error('m',0) end)) print(pcall(function() error('m') end))"),
      "false\tm\nfalse\t<string>:1: m"
    )
    assert.strictEqual(
      printed("local function g()\n error('m',2) end\nprint(pcall(function() g() end))"),
      "false\t<string>:3: m"
    )
    assert.strictEqual(printed("print(pcall(error, 5)) print(pcall(error, nil))"), "false\t5\nfalse\tnil")
  })

  it("xpcall gives what its handler makes of the error", () => {
    assert.strictEqual(
      printed("print(xpcall(function() error('q') end, function(m) return 'H:'..m end))"),
      "false\tH:<string>:1: q"
    )
    assert.strictEqual(printed("print(xpcall(function() return 1, 2 end, print))"), "true\t1\t2")
    assert.strictEqual(printed("print((xpcall(function() error('q') end, function(m) error('z') end)))"), "false")
  })

  it("coroutines resume, yield, end and tell how they are", () => {
    assert.strictEqual(
      printed(
        "local co=coroutine.create(function(a,b) local c=coroutine.yield(a+b) return c*2 end) print(coroutine.resume(co,1,2)) print(coroutine.status(co)) print(coroutine.resume(co,10)) print(coroutine.status(co)) print(coroutine.resume(co))"
      ),
      "true\t3\nsuspended\ntrue\t20\ndead\nfalse\tcannot resume dead coroutine"
    )
    assert.strictEqual(
      printed("local w=coroutine.wrap(function() coroutine.yield(1) error('x') end) print(w()) print(pcall(w))"),
      "1\nfalse\t<string>:1: x"
    )
    assert.strictEqual(printed("print(coroutine.resume(coroutine.create(function() end)))"), "true")
    assert.strictEqual(printed("print(coroutine.resume(coroutine.create(function() return nil end)))"), "true\tnil")
  })

  it("debug looks at functions, locals and upvalues", () => {
    assert.strictEqual(
      printed("\nlocal i=debug.getinfo(1,'Sl') print(i.currentline, i.short_src, i.what)"),
      "2\t<string>\tmain"
    )
    assert.strictEqual(printed("print(debug.getinfo(print).what, debug.getinfo(99))"), "C\tnil")
    assert.strictEqual(printed("local a,b=1,2 print(debug.getlocal(1,1)) print(debug.getlocal(1,2))"), "a\t1\nb\t2")
    assert.strictEqual(
      printed(
        "local u=5 local f=function() return u end print(debug.getupvalue(f,1)) print(debug.setupvalue(f,1,9), f())"
      ),
      "u\t5\nu\t9"
    )
    assert.strictEqual(
      printed("local function f() print(debug.traceback('msg')) end\nf()"),
      "msg\nstack traceback:\n\t<string>:1: in function 'f'\n\t<string>:2: in main chunk"
    )
  })
})
