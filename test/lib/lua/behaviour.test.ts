import { assert, describe, it } from "@effect/vitest"
import { printed, raisedBy } from "./chunks.ts"

const keys = "local o={} for k in pairs(t) do o[#o+1]=tostring(k) end print(table.concat(o,' '))"

describe("tables as in Lua 5.1", () => {
  it("pairs visits 1..n ascending, then other keys as they came", () => {
    assert.strictEqual(
      printed(`local t={10,20,30,x=1,y=2} t.z=3 t[4]=40 t[-1]=5 t[0]=6 t[2.5]=7 ${keys}`),
      "1 2 3 4 x y z -1 0 2.5"
    )
    assert.strictEqual(printed(`local t={} for i=5,1,-1 do t[i]=i end ${keys}`), "1 2 3 4 5")
    assert.strictEqual(printed(`local t={} t.a=1 t.b=2 t.c=3 t.a=nil t.a=4 ${keys}`), "a b c")
    assert.strictEqual(printed("for k,v in pairs({'a','b','c'}) do print(k,v) end"), "1\ta\n2\tb\n3\tc")
  })

  it("pairs visits far positions ascending", () => {
    assert.strictEqual(
      printed(`local t={} t[20240301]=1 t[20240101]=1 t[20240201]=1 t.x=1 t[2]=1 t[1]=1 ${keys}`),
      "1 2 20240101 20240201 20240301 x"
    )
  })

  it("fields can be removed and changed while they are visited", () => {
    assert.strictEqual(
      printed("local t={1,2,3,x=1,y=2,[1000]=3} for k in pairs(t) do t[k]=nil end print(next(t), #t)"),
      "nil\t0"
    )
    assert.strictEqual(
      printed("local t={1,2,x=1,y=2} local s=0 for k,v in pairs(t) do t[k]=v*10 s=s+1 end print(s,t[1],t.y)"),
      "4\t10\t20"
    )
  })

  it("next refuses keys that never were", () => {
    assert.strictEqual(printed("print(pcall(next, {}, 'x'))"), "false\t<string>:1: invalid key to 'next'")
    assert.strictEqual(printed("print(next({}), next({}, 5))"), "nil\tnil")
  })

  it("keys are told apart by value and type", () => {
    assert.strictEqual(
      printed(
        "local t={} t['1']='s' t[1]='n' t[true]='b' t[1.5]='f' t['true']='ts' print(t['1'],t[1],t[1.0],t[true],t[1.5],t['true'])"
      ),
      "s\tn\tn\tb\tf\tts"
    )
    assert.strictEqual(printed("local t={} t['\\1\\35']=1 print(t['\\18\\3'], t['\\1\\35'])"), "nil\t1")
    assert.strictEqual(
      printed("local a,b={},{} local t={[a]=1,[b]=2,[print]=3} print(t[a],t[b],t[print],t[{}])"),
      "1\t2\t3\tnil"
    )
    assert.strictEqual(raisedBy("local t={} t[0/0]=1"), "<string>:1: table index is NaN")
    assert.strictEqual(raisedBy("local t={} t[nil]=1"), "<string>:1: table index is nil")
  })

  it("the length is the greatest position, holes or not", () => {
    assert.strictEqual(printed("print(#{nil,nil,3}, #{1,2,nil}, #{1,nil,3}, #{n=1})"), "3\t2\t3\t0")
    assert.strictEqual(printed("local t={} t[100]=1 local a=#t t[100]=nil print(a, #t)"), "100\t0")
    assert.strictEqual(printed("local t={} t[1000000]=1 print(#t) t[100000000]=1 print(#t)"), "1000000\n1000000")
  })

  it("ipairs stops at a hole, pairs and ipairs look at the table alone", () => {
    assert.strictEqual(printed("local n=0 for _ in ipairs({1,2,nil,4}) do n=n+1 end print(n)"), "2")
    assert.strictEqual(
      printed(
        "local t=setmetatable({1},{__index=function() return 1 end,__pairs=error}) local n=0 for _ in ipairs(t) do n=n+1 end for _ in pairs(t) do n=n+1 end print(n)"
      ),
      "2"
    )
  })

  it("table.insert accepts any position", () => {
    assert.strictEqual(printed("local t={1,2,3} table.insert(t,6,9) print(#t,t[4],t[5],t[6])"), "6\tnil\tnil\t9")
    assert.strictEqual(printed("local t={1,2,3} table.insert(t,0,9) print(#t,t[0],t[1],t[2])"), "3\t9\t1\t2")
    assert.strictEqual(printed("local t={1,2,3} table.insert(t,-1,9) print(#t,t[-1],t[1])"), "3\t9\t1")
    assert.strictEqual(printed("local t={1,2,3} table.insert(t,2,9) print(unpack(t))"), "1\t9\t2\t3")
    assert.strictEqual(printed("local t={1,2,3} table.insert(t,2,nil) print(#t,t[2],t[3])"), "4\tnil\t2")
    assert.strictEqual(printed("local t={1,nil,3} table.insert(t,4) print(#t,t[2],t[4])"), "4\tnil\t4")
  })

  it("table.remove gives nil for a position beyond", () => {
    assert.strictEqual(
      printed("local t={1,2,3} print(table.remove(t), table.remove(t,1), #t, table.remove(t,7), #t)"),
      "3\t1\t1\tnil\t1"
    )
    assert.strictEqual(
      printed("local t={1,2,3} print(table.remove(t,-1), #t, table.remove({}), table.remove({},1))"),
      "3\t2\tnil\tnil"
    )
  })

  it("table.concat joins texts and numbers, up to the end of the list", () => {
    assert.strictEqual(
      printed(
        "print(table.concat({1,2,3}), table.concat({1,2,3},','), table.concat({1,2,3},',',2,2), table.concat({1,2},',',1,5), table.concat({0.1,'x'},'-'))"
      ),
      "123\t1,2,3\t2\t1,2\t0.1-x"
    )
    assert.strictEqual(printed("print(table.concat({}), table.concat({1,2,3},',',3,2))"), "\t")
    assert.strictEqual(
      raisedBy("table.concat({1,{},3})"),
      "<string>:1: invalid value (table) at index 2 in table for 'concat'"
    )
  })

  it("table.sort never raises for an inconsistent comparison", () => {
    assert.strictEqual(
      printed("local t={} for i=1,100 do t[i]=(i*37)%101 end table.sort(t, function() return true end) print(#t)"),
      "100"
    )
    assert.strictEqual(
      printed(
        "local t={} for i=1,100 do t[i]=(i*37)%101 end table.sort(t, function(a,b) return math.random()<0.5 end) table.sort(t) print(t[1],t[50],t[100])"
      ),
      "1\t50\t100"
    )
  })

  it("table.sort sorts long lists", () => {
    assert.strictEqual(
      printed("local t = {} for i = 1, 1100000 do t[i] = -i end table.sort(t) print(t[1], t[1100000])"),
      "-1100000\t-1"
    )
  })

  it("table.sort orders by `<` or by a function, and lets its errors through", () => {
    assert.strictEqual(
      printed(
        "local t={3,1,2} table.sort(t) print(unpack(t)) table.sort(t,function(a,b) return a>b end) print(unpack(t))"
      ),
      "1\t2\t3\n3\t2\t1"
    )
    assert.strictEqual(
      printed("local t={'b','a','C','\\200','aa'} table.sort(t) print(t[1],t[2],t[3],t[4])"),
      "C\ta\taa\tb"
    )
    assert.strictEqual(raisedBy("table.sort({3,1,'x'})"), "<string>:1: attempt to compare string with number")
    assert.strictEqual(raisedBy("table.sort({3,1,2}, function() error('boom') end)"), "<string>:1: boom")
    assert.strictEqual(
      printed("local e={} local ok,got=pcall(table.sort,{3,1,2},function() error(e) end) print(ok, got==e)"),
      "false\ttrue"
    )
    assert.strictEqual(
      raisedBy("table.sort({1}, 1)"),
      "<string>:1: bad argument #2 to 'sort' (function expected, got number)"
    )
  })

  it("texts compare by their bytes", () => {
    assert.strictEqual(
      printed("print('Z'<'a', '10'<'9', 'a'<'ab', '\\200'>'a', ''<'a', '\\16'>'\\10', 'x'=='x')"),
      "true\ttrue\ttrue\ttrue\ttrue\ttrue\ttrue"
    )
  })

  it("metamethods are those of Lua 5.1, and __len of tables", () => {
    assert.strictEqual(
      printed(
        "print(#setmetatable({},{__len=function() return 42 end}), setmetatable({},{__call=function(_,a) return a end})(7))"
      ),
      "42\t7"
    )
    assert.strictEqual(
      printed(
        "local m={__eq=function() return true end,__lt=function() return false end,__concat=function() return 'c' end,__unm=function() return 'u' end} local a,b=setmetatable({},m),setmetatable({},m) print(a==b, a<=b, a..'x', -a)"
      ),
      "true\ttrue\tc\tu"
    )
    assert.strictEqual(
      printed("print(getmetatable(setmetatable({},{__metatable='locked'})), getmetatable('').__index==string)"),
      "locked\ttrue"
    )
  })

  it("messages have the name of the chunk and the line", () => {
    assert.strictEqual(raisedBy("\n\nlocal a\na.b = 1"), "<string>:4: attempt to index a nil value (local 'a')")
    assert.strictEqual(raisedBy("\nlocal x = = 1"), "<string>:2: unexpected symbol near '='")
  })

  it("messages of functions that pcall calls have a place too", () => {
    assert.strictEqual(
      printed("print(pcall(setmetatable, 1))"),
      "false\t<string>:1: bad argument #1 to 'setmetatable' (table expected, got number)"
    )
  })
})
