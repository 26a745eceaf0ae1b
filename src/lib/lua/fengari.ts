/** The one door to fengari: its patches come first. */
import fengari from "fengari"
import { isPatched } from "./patches.ts"

if (!isPatched) throw new Error("fengari came before its patches")

export const { lauxlib, lua, lualib } = fengari

const encoder = new TextEncoder()

/** The bytes of a text in UTF-8. */
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

export type { LuaDebug, LuaFunction, LuaHook, LuaState } from "fengari"
