/** What is used of fengari, which has no types of its own. All of it is synchronous; strings are bytes. */
declare module "fengari" {
  import type { CallInfo } from "fengari/src/lstate.js"
  /** A Lua thread: the main one of a state, or a coroutine. */
  export interface LuaState {
    readonly brand: unique symbol
  }
  /** Gives the number of values it left on the stack. */
  export type LuaFunction = (L: LuaState) => number
  export type LuaHook = (L: LuaState, activation: LuaDebug) => void
  export interface LuaDebug {
    readonly currentline: number
    source: Uint8Array | null
    short_src: Uint8Array
    what: Uint8Array | null
    readonly name: Uint8Array | null
    namewhat: Uint8Array
    readonly linedefined: number
    /** The call it is about. */
    i_ci: CallInfo | null
  }
  interface LuaCalls {
    readonly LUA_OK: number
    readonly LUA_YIELD: number
    readonly LUA_ERRRUN: number
    readonly LUA_ERRSYNTAX: number
    readonly LUA_ERRMEM: number
    readonly LUA_ERRERR: number
    readonly LUA_MULTRET: number
    readonly LUA_REGISTRYINDEX: number
    readonly LUA_RIDX_GLOBALS: number
    readonly LUA_MASKCOUNT: number
    readonly LUA_MASKLINE: number
    readonly LUA_TNONE: number
    readonly LUA_TNIL: number
    readonly LUA_TBOOLEAN: number
    readonly LUA_TLIGHTUSERDATA: number
    readonly LUA_TNUMBER: number
    readonly LUA_TSTRING: number
    readonly LUA_TTABLE: number
    readonly LUA_TFUNCTION: number
    readonly LUA_TUSERDATA: number
    readonly LUA_TTHREAD: number
    readonly lua_Debug: new() => LuaDebug
    lua_absindex(L: LuaState, at: number): number
    lua_atnativeerror(L: LuaState, handler: LuaFunction): LuaFunction | null
    lua_call(L: LuaState, args: number, results: number): void
    lua_checkstack(L: LuaState, more: number): boolean
    lua_compare(L: LuaState, a: number, b: number, operation: number): number
    lua_concat(L: LuaState, count: number): void
    lua_createtable(L: LuaState, list: number, fields: number): void
    lua_dump(
      L: LuaState,
      writer: (L: LuaState, part: Uint8Array, size: number, data: unknown) => number,
      data: unknown,
      strip: boolean
    ): number
    lua_error(L: LuaState): never
    lua_getfield(L: LuaState, at: number, key: Uint8Array): number
    lua_getglobal(L: LuaState, name: Uint8Array): number
    lua_getinfo(L: LuaState, what: Uint8Array, activation: LuaDebug): number
    lua_getlocal(L: LuaState, activation: LuaDebug | null, n: number): Uint8Array | null
    lua_getmetatable(L: LuaState, at: number): boolean
    lua_getstack(L: LuaState, level: number, activation: LuaDebug): number
    lua_gettable(L: LuaState, at: number): number
    lua_gettop(L: LuaState): number
    lua_getupvalue(L: LuaState, at: number, n: number): Uint8Array | null
    lua_getuservalue(L: LuaState, at: number): number
    lua_insert(L: LuaState, at: number): void
    lua_iscfunction(L: LuaState, at: number): boolean
    lua_isfunction(L: LuaState, at: number): boolean
    lua_isnil(L: LuaState, at: number): boolean
    lua_isnone(L: LuaState, at: number): boolean
    lua_isnoneornil(L: LuaState, at: number): boolean
    lua_isnumber(L: LuaState, at: number): boolean
    lua_isstring(L: LuaState, at: number): boolean
    lua_istable(L: LuaState, at: number): boolean
    lua_isuserdata(L: LuaState, at: number): boolean
    lua_isyieldable(L: LuaState): boolean
    lua_load(
      L: LuaState,
      reader: (L: LuaState, data: unknown) => Uint8Array | null,
      data: unknown,
      name: Uint8Array,
      mode: Uint8Array | null
    ): number
    lua_newtable(L: LuaState): void
    lua_newthread(L: LuaState): LuaState
    /** Gives the object that stands for the value; properties of it are not seen by Lua. */
    lua_newuserdata(L: LuaState, size?: number): { [key: string | symbol]: unknown }
    lua_next(L: LuaState, at: number): number
    lua_pcall(L: LuaState, args: number, results: number, handler: number): number
    /** What follows a yield inside of the call goes to the continuation, with what `lua_pcallk` would have given. */
    lua_pcallk(
      L: LuaState,
      args: number,
      results: number,
      handler: number,
      context: number,
      continuation: (L: LuaState, status: number, context: number) => number
    ): number
    lua_pop(L: LuaState, count: number): void
    lua_pushboolean(L: LuaState, value: boolean | number): void
    lua_pushcclosure(L: LuaState, f: LuaFunction, upvalues: number): void
    lua_pushcfunction(L: LuaState, f: LuaFunction): void
    lua_pushglobaltable(L: LuaState): void
    lua_pushlightuserdata(L: LuaState, value: unknown): void
    lua_pushliteral(L: LuaState, text: string): Uint8Array
    lua_pushlstring(L: LuaState, bytes: Uint8Array, length: number): void
    lua_pushnil(L: LuaState): void
    lua_pushnumber(L: LuaState, value: number): void
    lua_pushstring(L: LuaState, bytes: Uint8Array | null): void
    lua_pushthread(L: LuaState): boolean
    lua_pushvalue(L: LuaState, at: number): void
    lua_rawequal(L: LuaState, a: number, b: number): number
    lua_rawget(L: LuaState, at: number): number
    lua_rawgeti(L: LuaState, at: number, n: number): number
    lua_rawgetp(L: LuaState, at: number, key: unknown): number
    lua_rawlen(L: LuaState, at: number): number
    lua_rawset(L: LuaState, at: number): void
    lua_rawseti(L: LuaState, at: number, n: number): void
    lua_rawsetp(L: LuaState, at: number, key: unknown): void
    lua_remove(L: LuaState, at: number): void
    lua_replace(L: LuaState, at: number): void
    lua_resume(L: LuaState, from: LuaState | null, args: number): number
    lua_rotate(L: LuaState, at: number, n: number): void
    lua_setfield(L: LuaState, at: number, key: Uint8Array): void
    lua_setglobal(L: LuaState, name: Uint8Array): void
    lua_sethook(L: LuaState, hook: LuaHook | null, mask: number, count: number): void
    lua_setlocal(L: LuaState, activation: LuaDebug, n: number): Uint8Array | null
    lua_setmetatable(L: LuaState, at: number): boolean
    lua_settable(L: LuaState, at: number): void
    lua_settop(L: LuaState, top: number): void
    lua_setupvalue(L: LuaState, at: number, n: number): Uint8Array | null
    lua_setuservalue(L: LuaState, at: number): void
    lua_status(L: LuaState): number
    lua_toboolean(L: LuaState, at: number): boolean
    lua_tonumber(L: LuaState, at: number): number
    /** The bytes; absent when the value is neither string nor number. */
    lua_tostring(L: LuaState, at: number): Uint8Array | null
    lua_tothread(L: LuaState, at: number): LuaState | null
    lua_topointer(L: LuaState, at: number): object | null
    lua_touserdata(L: LuaState, at: number): unknown
    lua_type(L: LuaState, at: number): number
    lua_typename(L: LuaState, type: number): Uint8Array
    lua_upvalueid(L: LuaState, at: number, n: number): object
    lua_upvaluejoin(L: LuaState, f1: number, n1: number, f2: number, n2: number): void
    lua_upvalueindex(n: number): number
    lua_xmove(from: LuaState, to: LuaState, count: number): void
    lua_yield(L: LuaState, results: number): number
  }
  interface LuaAuxiliary {
    luaL_argerror(L: LuaState, n: number, message: Uint8Array): never
    luaL_checkany(L: LuaState, n: number): void
    luaL_checknumber(L: LuaState, n: number): number
    luaL_checkstack(L: LuaState, more: number, message: Uint8Array): void
    luaL_checkstring(L: LuaState, n: number): Uint8Array
    luaL_checktype(L: LuaState, n: number, type: number): void
    luaL_error(L: LuaState, format: Uint8Array, ...values: ReadonlyArray<unknown>): never
    luaL_getmetafield(L: LuaState, at: number, event: Uint8Array): number
    luaL_getsubtable(L: LuaState, at: number, name: Uint8Array): boolean
    luaL_loadbufferx(
      L: LuaState,
      source: Uint8Array,
      size: number,
      name: Uint8Array,
      mode: Uint8Array | null
    ): number
    luaL_newlib(L: LuaState, functions: Readonly<Record<string, LuaFunction>>): void
    luaL_newmetatable(L: LuaState, name: Uint8Array): number
    luaL_newstate(): LuaState
    luaL_optnumber(L: LuaState, n: number, otherwise: number): number
    luaL_ref(L: LuaState, at: number): number
    luaL_requiref(L: LuaState, name: Uint8Array, open: LuaFunction, isGlobal: boolean | number): void
    luaL_setfuncs(L: LuaState, functions: Readonly<Record<string, LuaFunction>>, upvalues: number): void
    luaL_setmetatable(L: LuaState, name: Uint8Array): void
    luaL_testudata(L: LuaState, n: number, name: Uint8Array): unknown
    luaL_tolstring(L: LuaState, at: number): Uint8Array
    luaL_traceback(L: LuaState, of: LuaState, message: Uint8Array | null, level: number): void
    luaL_typename(L: LuaState, at: number): Uint8Array
    luaL_unref(L: LuaState, at: number, reference: number): void
    luaL_where(L: LuaState, level: number): void
  }
  interface LuaLibraries {
    readonly luaopen_base: LuaFunction
    readonly luaopen_coroutine: LuaFunction
    readonly luaopen_debug: LuaFunction
    readonly luaopen_math: LuaFunction
    readonly luaopen_string: LuaFunction
    readonly luaopen_table: LuaFunction
  }
  const fengari: {
    readonly lua: LuaCalls
    readonly lauxlib: LuaAuxiliary
    readonly lualib: LuaLibraries
    readonly to_luastring: (text: string, isKept?: boolean) => Uint8Array
  }
  export default fengari
}

/** Inner modules: what is replaced of them stands in `patches.ts`, `strings.ts` and `tables.ts`. */
declare module "fengari/src/*" {
  const inner: Record<string, unknown>
  export default inner
}

declare module "fengari/src/defs.js" {
  import type { LuaDebug } from "fengari"
  const defs: { readonly lua_Debug: new() => LuaDebug; readonly LUA_VERSION_NUM: number }
  export default defs
}

declare module "fengari/src/lstring.js" {
  import type { Machine } from "fengari/src/lstate.js"
  /** A string. */
  export interface TString {
    /** The letters of the string, one for each byte. */
    readonly hash: string
    getstr(): Uint8Array
    tsslen(): number
  }
  const lstring: {
    luaS_hash: (bytes: Uint8Array) => string
    luaS_hashlongstr: (text: TString) => string
    luaS_eqlngstr: (a: TString, b: TString) => boolean
    luaS_bless: (L: Machine, bytes: Uint8Array) => TString
    luaS_new: (L: Machine, bytes: Uint8Array) => TString
    luaS_newliteral: (L: Machine, text: string) => TString
  }
  export default lstring
}

declare module "fengari/src/lobject.js" {
  import type { TString } from "fengari/src/lstring.js"
  import type { Machine } from "fengari/src/lstate.js"
  /** A slot that holds a value: of the stack, of a table, of a closure. */
  export interface TValue {
    type: number
    value: unknown
    setfrom(from: TValue): void
    setfltvalue(value: number): void
    setivalue(value: number): void
    setnilvalue(): void
    ttisnil(): boolean
    ttisstring(): boolean
    tsvalue(): TString
    setsvalue(text: TString): void
    vslen(): number
  }
  export interface LClosure {
    readonly p: { readonly upvalues: ReadonlyArray<{ readonly name: TString | null }> }
    readonly upvals: Array<TValue>
  }
  const lobject: {
    readonly TValue: { new(type: number, value: unknown): TValue; readonly prototype: TValue }
    readonly LClosure: new(L: Machine, upvalues: number) => LClosure
    readonly CClosure: new(L: Machine, f: unknown, upvalues: number) => object
    readonly Udata: new(L: Machine, size: number) => object
    readonly luaO_nilobject: TValue
    luaO_pushfstring: (L: Machine, format: Uint8Array, ...values: ReadonlyArray<unknown>) => Uint8Array
    /** Makes a number a string in its place. */
    readonly luaO_tostring: (L: Machine, value: TValue) => void
    readonly pushobj2s: (L: Machine, value: TValue) => void
    /** Gives one more than the bytes it read, 0 when they are no number. */
    luaO_str2num: (text: Uint8Array, into: TValue) => number
  }
  export default lobject
}

declare module "fengari/src/lstate.js" {
  import type { LuaHook, LuaState } from "fengari"
  import type { TValue } from "fengari/src/lobject.js"
  export interface Instruction {
    readonly opcode: number
    readonly A: number
    readonly B: number
    readonly C: number
  }
  export interface CallInfo {
    readonly callstatus: number
    readonly previous: CallInfo | null
    readonly funcOff: number
    readonly l_base: number
    readonly l_code: ReadonlyArray<Instruction>
    readonly l_savedpc: number
  }
  /** What all threads of a state share. */
  export interface Shared {
    id_counter: number
    /** Where errors that are none of Lua become some. */
    atnativeerror: unknown
    /** Ours: who is asked before something long or large. */
    guard?: {
      readonly check: (L: LuaState) => void
      readonly charge: (L: LuaState, bytes: number) => void
    }
  }
  /** A thread from the inside. */
  export interface Machine extends LuaState {
    readonly l_G: Shared
    readonly stack: Array<TValue>
    readonly ci: CallInfo
    top: number
    hook: LuaHook | null
    hookmask: number
    hookcount: number
    basehookcount: number
    allowhook: number
  }
  const lstate: { readonly lua_State: new(shared: Shared) => Machine }
  export default lstate
}

declare module "fengari/src/ltable.js" {
  import type { Machine } from "fengari/src/lstate.js"
  import type { TValue } from "fengari/src/lobject.js"
  import type { TString } from "fengari/src/lstring.js"
  import type { Table } from "./tables.ts"
  const ltable: {
    Table: unknown
    invalidateTMcache: (table: Table) => void
    luaH_get: (L: Machine, table: Table, key: TValue) => TValue
    luaH_getint: (table: Table, key: number) => TValue
    luaH_getn: (table: Table) => number
    luaH_getstr: (table: Table, key: TString) => TValue
    luaH_setfrom: (L: Machine, table: Table, key: TValue, value: TValue) => void
    luaH_setint: (table: Table, key: number, value: TValue) => void
    luaH_new: (L: Machine) => Table
    luaH_next: (L: Machine, table: Table, at: number) => boolean
  }
  export default ltable
}

declare module "fengari/src/ldebug.js" {
  import type { LuaDebug } from "fengari"
  import type { Machine } from "fengari/src/lstate.js"
  const ldebug: {
    /** Before each instruction of a thread with a hook. */
    luaG_traceexec: (L: Machine) => void
    luaG_runerror: (L: Machine, format: Uint8Array, ...values: ReadonlyArray<unknown>) => never
    lua_getinfo: (L: Machine, what: Uint8Array, activation: LuaDebug) => number
  }
  export default ldebug
}

declare module "fengari/src/ldo.js" {
  import type { Machine } from "fengari/src/lstate.js"
  const ldo: {
    readonly luaD_hook: (L: Machine, event: number, line: number) => void
    readonly luaD_callnoyield: (L: Machine, at: number, results: number) => void
    readonly luaD_checkstack: (L: Machine, more: number) => void
  }
  export default ldo
}

declare module "fengari/src/lvm.js" {
  import type { Machine } from "fengari/src/lstate.js"
  import type { TValue } from "fengari/src/lobject.js"
  const lvm: {
    luaV_concat: (L: Machine, count: number) => void
    readonly luaV_lessthan: (L: Machine, a: TValue, b: TValue) => number
    readonly cvt2str: (value: TValue) => boolean
  }
  export default lvm
}

declare module "fengari/src/llex.js" {
  import type { Machine } from "fengari/src/lstate.js"
  interface Lexer {
    readonly L: Machine
  }
  const llex: { readonly LUA_ENV: Uint8Array; luaX_next: (lexer: Lexer) => void }
  export default llex
}

declare module "fengari/src/lfunc.js" {
  import type { Machine } from "fengari/src/lstate.js"
  const lfunc: { Proto: new(L: Machine) => object }
  export default lfunc
}

declare module "fengari/src/lauxlib.js" {
  import type { LuaState } from "fengari"
  const lauxlib: {
    readonly luaL_checknumber: (L: LuaState, n: number) => number
    readonly luaL_optnumber: (L: LuaState, n: number, otherwise: number) => number
    luaL_checkinteger: (L: LuaState, n: number) => number
    luaL_optinteger: (L: LuaState, n: number, otherwise: number) => number
  }
  export default lauxlib
}

declare module "fengari/src/lapi.js" {
  import type { Machine } from "fengari/src/lstate.js"
  const lapi: {
    lua_pushstring: (L: Machine, bytes: Uint8Array | null | undefined) => void
    readonly lua_pushlstring: (L: Machine, bytes: Uint8Array, length: number) => void
    readonly lua_pushnil: (L: Machine) => void
    lua_pushinteger: unknown
    lua_pushcfunction: (L: Machine, f: unknown) => void
    readonly lua_checkstack: (L: Machine, more: number) => boolean
    readonly lua_pushnumber: unknown
  }
  export default lapi
}

declare module "fengari/src/lopcodes.js" {
  type Name = "OP_CALL" | "OP_CONCAT" | "OP_SETLIST" | "OP_TAILCALL" | "OP_VARARG"
  const lopcodes: { readonly OpCodesI: Readonly<Record<Name, number>> }
  export default lopcodes
}
