/** The mathematical functions of Lua 5.1, over doubles (regbot description, 14.2). */
import { bytesOf, integerAt, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import { setFunctions } from "./values.ts"

const number = (L: LuaState, n: number): number => lauxlib.luaL_checknumber(L, n)

const give = (L: LuaState, ...values: ReadonlyArray<number>): number => {
  for (const value of values) lua.lua_pushnumber(L, value)
  return values.length
}

const ofOne = (f: (x: number) => number): LuaFunction => (L) => give(L, f(number(L, 1)))

const ofTwo = (f: (x: number, y: number) => number): LuaFunction => (L) => give(L, f(number(L, 1), number(L, 2)))

const ofMany = (f: (x: number, y: number) => number): LuaFunction => (L) => {
  let value = number(L, 1)
  for (let n = lua.lua_gettop(L); n > 1; n--) value = f(value, number(L, n))
  return give(L, value)
}

/** A mantissa from 0.5 to below 1, and the exponent of two that goes with it. */
const mantissaOf = (value: number): readonly [mantissa: number, exponent: number] => {
  if (value === 0 || !Number.isFinite(value)) return [value, 0]
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(value))) + 1)
  let mantissa = scaled(value, -exponent)
  while (Math.abs(mantissa) < 0.5) {
    mantissa *= 2
    exponent--
  }
  while (Math.abs(mantissa) >= 1) {
    mantissa /= 2
    exponent++
  }
  return [mantissa, exponent]
}

/** `value * 2 ^ exponent`, in steps that do not overflow on the way. */
const scaled = (value: number, exponent: number): number => {
  let rest = Math.min(Math.max(exponent, -2200), 2200)
  let result = value
  while (rest > 1000) {
    result *= 2 ** 1000
    rest -= 1000
  }
  while (rest < -1000) {
    result *= 2 ** -1000
    rest += 1000
  }
  return result * 2 ** rest
}

/** The part before the point and the one behind it. */
const modf: LuaFunction = (L) => {
  const value = number(L, 1)
  const whole = Math.trunc(value)
  return give(L, whole, Number.isFinite(value) ? value - whole : Number.isNaN(value) ? value : 0)
}

const log: LuaFunction = (L) => {
  const value = number(L, 1)
  if (lua.lua_isnoneornil(L, 2)) return give(L, Math.log(value))
  const base = number(L, 2)
  if (base === 2) return give(L, Math.log2(value))
  return give(L, base === 10 ? Math.log10(value) : Math.log(value) / Math.log(base))
}

/** Numbers from 0 to below 1, the same for the same seed (sfc32). */
const sequenceOf = (seed: number): () => number => {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, seed)
  let a = bits.getInt32(0)
  let b = bits.getInt32(4)
  let c = 0x9e3779b9
  let count = 1
  const step = (): number => {
    const sum = (a + b + count++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let warm = 0; warm < 16; warm++) step()
  return () => (step() * 2 ** 21 + (step() >>> 11)) / 2 ** 53
}

/** `random()`, `random(most)`, `random(least, most)`: the bounds are cut off to integers. */
const randomFunctions = (): Readonly<Record<string, LuaFunction>> => {
  let draw = sequenceOf(Math.random())
  return {
    random: (L) => {
      const count = lua.lua_gettop(L)
      if (count === 0) return give(L, draw())
      const least = count === 1 ? 1 : integerAt(L, 1)
      const most = integerAt(L, count === 1 ? 1 : 2)
      if (least > most) return lauxlib.luaL_argerror(L, count === 1 ? 1 : 2, bytesOf("interval is empty"))
      return give(L, least + Math.floor(draw() * (most - least + 1)))
    },
    randomseed: (L) => {
      draw = sequenceOf(number(L, 1))
      return 0
    }
  }
}

const remainder = (x: number, y: number): number => x % y

const functions: Readonly<Record<string, LuaFunction>> = {
  abs: ofOne(Math.abs),
  acos: ofOne(Math.acos),
  asin: ofOne(Math.asin),
  atan: ofOne(Math.atan),
  atan2: ofTwo(Math.atan2),
  ceil: ofOne(Math.ceil),
  cos: ofOne(Math.cos),
  cosh: ofOne(Math.cosh),
  deg: ofOne((x) => x * (180 / Math.PI)),
  exp: ofOne(Math.exp),
  floor: ofOne(Math.floor),
  fmod: ofTwo(remainder),
  frexp: (L) => give(L, ...mantissaOf(number(L, 1))),
  ldexp: (L) => give(L, scaled(number(L, 1), integerAt(L, 2))),
  log,
  log10: ofOne(Math.log10),
  max: ofMany(Math.max),
  min: ofMany(Math.min),
  mod: ofTwo(remainder),
  modf,
  pow: ofTwo(Math.pow),
  rad: ofOne((x) => x * (Math.PI / 180)),
  sin: ofOne(Math.sin),
  sinh: ofOne(Math.sinh),
  sqrt: ofOne(Math.sqrt),
  tan: ofOne(Math.tan),
  tanh: ofOne(Math.tanh)
}

/** Opens the library as the global `math`. */
export const openMath = (L: LuaState): void => {
  lauxlib.luaL_requiref(L, bytesOf("math"), (opened) => {
    lua.lua_newtable(opened)
    setFunctions(opened, { ...functions, ...randomFunctions() })
    lua.lua_pushnumber(opened, Math.PI)
    lua.lua_setfield(opened, -2, bytesOf("pi"))
    lua.lua_pushnumber(opened, Number.POSITIVE_INFINITY)
    lua.lua_setfield(opened, -2, bytesOf("huge"))
    return 1
  }, 1)
  lua.lua_pop(L, 1)
}
