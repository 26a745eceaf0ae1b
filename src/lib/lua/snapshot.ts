/**
 * Functions and all they reach, as they are between the state they are taken out of and those they are put into:
 * upvalues stay shared, tables keep their metatables, what every state has is named. Coroutines, open files and other
 * things of their state cannot go.
 */
import type { Way } from "./baseline.ts"
import type { Held } from "./convert.ts"

/** Strings are one byte a character. */
export type Value = undefined | boolean | number | string | { readonly node: number }

export type Node =
  | { readonly tag: "builtin"; readonly way: Way }
  | { readonly tag: "table"; readonly entries: Array<readonly [Value, Value]>; metatable: Value }
  | { readonly tag: "function"; readonly code: number; readonly upvalues: Array<number> }
  | { readonly tag: "object"; readonly held: Held; data: Value }

export interface Snapshot {
  readonly function: Value
  readonly items: ReadonlyArray<Value>
  readonly nodes: ReadonlyArray<Node>
  /** Upvalues, which functions may share. */
  readonly cells: ReadonlyArray<Value>
  readonly codes: ReadonlyArray<Uint8Array>
  /** Of tables that every state has: what is different in this one. */
  readonly changes: ReadonlyArray<
    Node & { readonly tag: "table" } & { readonly of: Way; readonly hasMetatable: boolean }
  >
}
