/** Reads JSON into values of Lua, within the bounds of a script. */
import { pushLetters } from "./arguments.ts"
import { bytesOf, lauxlib, lua, type LuaState } from "./fengari.ts"
import { type Guard, raise } from "./guard.ts"
import { Parts } from "./parts.ts"

const mostLevels = 1000
const [quote, backslash, comma, colon] = [34, 92, 44, 58]
const [bracket, bracketEnd, brace, braceEnd] = [91, 93, 123, 125]
const escapes = new Map([..."\"\\/bfnrt"].map((it, at) => [it.charCodeAt(0), "\"\\/\b\f\n\r\t".charAt(at)]))

export class JsonReader {
  /** From 0: the next byte to be read. */
  at: number
  private readonly L: LuaState
  private readonly guard: Guard
  private readonly text: Uint8Array
  private readonly hasLength: boolean
  private values = 0

  /** What stands for null is at 3 on the stack. */
  constructor(L: LuaState, guard: Guard, text: Uint8Array, at: number, hasLength: boolean) {
    this.L = L
    this.guard = guard
    this.text = text
    this.at = at
    this.hasLength = hasLength
  }

  /** Pushes the value that comes next. */
  value(level: number): void {
    if (level > mostLevels) this.fail("too deeply nested json (> 1000)")
    if (++this.values % 1000 === 0) this.guard.check(this.L)
    lauxlib.luaL_checkstack(this.L, 8, bytesOf("too deeply nested json"))
    switch (this.skip()) {
      case brace:
        return this.object(level)
      case bracket:
        return this.array(level)
      case quote:
        return this.string()
      case 116:
        return this.word("true", () => lua.lua_pushboolean(this.L, true))
      case 102:
        return this.word("false", () => lua.lua_pushboolean(this.L, false))
      case 110:
        return this.word("null", () => lua.lua_pushvalue(this.L, 3))
      case undefined:
        return this.fail("unexpected termination")
      default:
        return this.number()
    }
  }

  /** Nothing but blanks may follow. */
  end(): void {
    if (this.skip() !== undefined) this.fail("json ended")
  }

  private fail(message: string): never {
    return raise(this.L, `parse error at ${this.at + 1}: ${message}`)
  }

  /** The next byte that is no blank; it stays. */
  private skip(): number | undefined {
    for (; this.at < this.text.length; this.at++) {
      const byte = this.text[this.at]
      if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) return byte
      if (this.at % 8192 === 0) this.guard.check(this.L)
    }
    return undefined
  }

  private word(word: string, push: () => void): void {
    const found = this.text.subarray(this.at, this.at + word.length)
    if (Buffer.from(found).toString("latin1") !== word) this.fail("invalid value")
    this.at += word.length
    push()
  }

  private number(): void {
    let end = this.at
    while ("+-.eE0123456789".includes(String.fromCharCode(this.text[end] ?? 0))) end++
    if (end === this.at) this.fail("invalid value")
    this.guard.charge(this.L, end - this.at)
    const text = Buffer.from(this.text.subarray(this.at, end)).toString("latin1")
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text)) this.fail("invalid number")
    this.at = end
    lua.lua_pushnumber(this.L, Number(text))
  }

  private array(level: number): void {
    const { L } = this
    this.at++
    lua.lua_newtable(L)
    let length = 0
    while (this.skip() !== bracketEnd || length > 0) {
      this.value(level + 1)
      length++
      this.guard.charge(L, 32)
      // A null that is nil leaves its place empty.
      if (lua.lua_isnil(L, -1)) lua.lua_pop(L, 1)
      else lua.lua_rawseti(L, -2, length)
      if (!this.more(bracketEnd, "array")) break
    }
    if (length === 0) this.at++
    if (!this.hasLength) return
    lua.lua_pushnumber(L, length)
    lua.lua_rawseti(L, -2, 0)
  }

  private object(level: number): void {
    const { L } = this
    this.at++
    lua.lua_newtable(L)
    if (this.skip() === braceEnd) {
      this.at++
      return
    }
    do {
      if (this.skip() !== quote) this.fail("not key")
      this.string()
      if (this.skip() !== colon) this.fail("no colon after a key")
      this.at++
      this.value(level + 1)
      this.guard.charge(L, 64)
      lua.lua_rawset(L, -3)
    } while (this.more(braceEnd, "object"))
  }

  /** After an element: a comma for another one, or the end. */
  private more(end: number, kind: string): boolean {
    const byte = this.skip()
    if (byte !== comma && byte !== end) this.fail(`no closing bracket of an ${kind}`)
    this.at++
    return byte === comma
  }

  private string(): void {
    const { L, text } = this
    const parts = new Parts(L, this.guard)
    let kept = ++this.at
    for (;; this.at++) {
      const byte = text[this.at]
      if (byte === undefined) this.fail("unterminated string")
      if (this.at % 8192 === 0) this.guard.check(L)
      if (byte === quote) break
      if (byte < 32) this.fail("control character in a string")
      if (byte !== backslash) continue
      parts.add(text.subarray(kept, this.at))
      parts.add(bytesOf(this.escaped()))
      kept = this.at + 1
    }
    parts.add(text.subarray(kept, this.at))
    this.at++
    pushLetters(L, parts.joined())
  }

  /** What a backslash begins; ends at its last byte. */
  private escaped(): string {
    this.at++
    const byte = this.text[this.at] ?? 0
    if (byte !== 117) return escapes.get(byte) ?? this.fail("invalid escape sequence")
    const unit = this.unit()
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit)
    if (unit >= 0xdc00 || this.text[this.at + 1] !== backslash || this.text[this.at + 2] !== 117) {
      this.fail("invalid surrogate pair")
    }
    this.at += 2
    const second = this.unit()
    if (second < 0xdc00 || second > 0xdfff) this.fail("invalid surrogate pair")
    return String.fromCharCode(unit, second)
  }

  /** The four digits after `u`. */
  private unit(): number {
    const digits = Buffer.from(this.text.subarray(this.at + 1, this.at + 5)).toString("latin1")
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("invalid unicode charcode")
    this.at += 4
    return Number.parseInt(digits, 16)
  }
}
