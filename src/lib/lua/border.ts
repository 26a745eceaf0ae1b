/** What crosses between a script and its host: plain data that a thread can be sent. */

/**
 * A Lua value. Strings are bytes in Lua: those that are UTF-8 cross as texts, all others as bytes. Of functions, threads
 * and userdata that are no objects of the host, only what they are crosses.
 */
export type LuaValue = undefined | boolean | number | string | Uint8Array | LuaTable | LuaObject | LuaForeign

export interface LuaForeign {
  readonly foreign: "function" | "thread" | "userdata"
}

/** A table as data: `1..#t`, then what has a text for a key. In Lua both are one table. */
export interface LuaTable {
  readonly list: ReadonlyArray<LuaValue>
  readonly fields: ReadonlyMap<string, LuaValue>
}

/**
 * A host's object, userdata in Lua. Its state goes along wherever the object goes, so that the host keeps nothing and
 * nothing has to be released; Lua can neither see nor make one. Its data is a table that scripts may change inside.
 */
export interface LuaObject {
  /** The name of the table that has its methods: `reference`, `manifest`, `imageconfig`, `blob`. */
  readonly kind: string
  /** Plain data, for the host alone. */
  readonly state: unknown
  /** What `x.field` reads before methods are looked up. */
  readonly data?: LuaTable
  /** Names of fields of the data that are methods as well: tables that can be called, `m.config` and `m:config()`. */
  readonly callable?: ReadonlyArray<string>
}

export const isTable = (value: LuaValue): value is LuaTable =>
  typeof value === "object" && !(value instanceof Uint8Array) && "list" in value

export const isObject = (value: LuaValue): value is LuaObject =>
  typeof value === "object" && !(value instanceof Uint8Array) && "kind" in value

/** As Lua names the type of a value. */
export const typeOf = (value: LuaValue): string => {
  if (value === undefined) return "nil"
  if (typeof value !== "object") return typeof value
  if (value instanceof Uint8Array) return "string"
  if ("foreign" in value) return value.foreign
  return "list" in value ? "table" : "userdata"
}

/** A table of `1..n`. */
export const tableOf = (list: ReadonlyArray<LuaValue>): LuaTable => ({ list, fields: new Map() })

/** A table of named fields; what is undefined is left out. */
export const recordOf = (fields: Readonly<Record<string, LuaValue>>): LuaTable => ({
  list: [],
  fields: new Map(Object.entries(fields).filter(([, value]) => value !== undefined))
})

/** What a host function gives back. */
export interface HostAnswer {
  /** As many as the function returns in Lua. */
  readonly values: ReadonlyArray<LuaValue>
  /** Of a method: the state its object has from now on. */
  readonly self?: { readonly state: unknown }
}

/** A failure of a host function: raised in Lua as a text, with its position in front. */
export interface HostFailure {
  readonly message: string
  /** `bad argument #n to f (message)`; from 1, a method's object counts. */
  readonly argument?: number
}

/** The names a host gives to a script: global functions, and tables of functions and methods. */
export interface HostNames {
  readonly globals: ReadonlyArray<string>
  readonly tables: Readonly<
    Record<string, {
      readonly functions: ReadonlyArray<string>
      readonly methods: ReadonlyArray<string>
      /** The method `__tostring` of its objects is the host's. */
      readonly hasText: boolean
    }>
  >
}

/** Which host function is meant: `log`, `tag.ls`, `manifest:put`, `reference:__tostring`. */
export type HostName = string
