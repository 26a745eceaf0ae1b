/** Values of scripts as plain ones, for literals: a table of a list is an array, any other an object. */
import { isTable, type LuaTable, type LuaValue } from "../../src/lib/lua/border.ts"

export type Plain = undefined | boolean | number | string | ReadonlyArray<Plain> | { readonly [key: string]: Plain }

/** An empty table is `{}`, as nothing tells which of the two it is. */
export const plain = (value: LuaValue): Plain => {
  if (typeof value !== "object") return value
  if (!isTable(value)) return `<${JSON.stringify(value)}>`
  if (value.list.length > 0 && value.fields.size === 0) return value.list.map(plain)
  return Object.fromEntries([...value.list.map((it, at) => [at + 1, plain(it)]), ...byName(value)])
}

const byName = ({ fields }: LuaTable) => [...fields].map(([key, value]) => [key, plain(value)])

/** The same the other way round: what a script hands over. */
export const luaOf = (value: Plain): LuaValue => {
  if (typeof value !== "object") return value
  return Array.isArray(value)
    ? { list: value.map(luaOf), fields: new Map() }
    : { list: [], fields: new Map(Object.entries(value).map(([key, it]) => [key, luaOf(it)])) }
}

/** The table with a field in its depth replaced: `["layers", 1, "size"]`, positions from 1. */
export const changed = (table: LuaValue, path: ReadonlyArray<string | number>, to: LuaValue): LuaTable => {
  const [key, ...rest] = path
  if (table === undefined || !isTable(table)) throw new Error(`no table at ${path.join(".")}`)
  if (typeof key === "number") {
    const list = [...table.list]
    list[key - 1] = rest.length === 0 ? to : changed(list[key - 1], rest, to)
    return { ...table, list }
  }
  const name = key ?? ""
  const fields = new Map(table.fields)
  fields.set(name, rest.length === 0 ? to : changed(fields.get(name), rest, to))
  return { ...table, fields }
}
