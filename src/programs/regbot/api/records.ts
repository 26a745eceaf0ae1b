/** Records of the host as tables of Lua, and tables as records (regbot description, 8). */
import { formatTime, type GoTime, parseTime, rfc3339Nano } from "../../../lib/goTime.ts"
import { jsonMap, jsonObject, jsonString } from "../../../lib/json.ts"
import { isTable, type LuaTable, type LuaValue, recordOf, tableOf } from "../../../lib/lua/border.ts"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { mediaTypes } from "../../../schemas/MediaType.ts"
import type { Quota } from "../../../schemas/Quota.ts"
import { signedText } from "../../../schemas/signedManifest.ts"
import { type Document, documentIn, isObject } from "../../views/document.ts"
import { configShape, descriptorShape, manifestShape, type RecordShape, type Shape } from "./shapes.ts"

/**
 * The table of a manifest. Each field stands under both of its names, and both name the same table: what a script
 * changes under one is seen under the other, so whoever carries tables over the border has to keep them one.
 */
export const manifestTable = (mediaType: string, body: Uint8Array): LuaTable => {
  const kind = manifestShape(mediaType)
  if (kind === undefined) return recordOf({})
  const table = recordTable(kind.shape, documentIn(body))
  return mediaType === mediaTypes.schema1Signed ? withCanonical(table, signedText(body)) : table
}

/** Of what came by HEAD: one key, and zeros below. */
export const headTable = (mediaType: string): LuaTable => {
  const kind = manifestShape(mediaType)
  return kind === undefined ? recordOf({}) : recordOf({ [kind.name]: zeros(mediaType, kind.shape) })
}

const zeros = (mediaType: string, shape: RecordShape): LuaTable => {
  const table = recordTable(shape, {})
  return mediaType === mediaTypes.schema1Signed ? withCanonical(table) : table
}

/** Signed manifests also tell the bytes that their signatures are over. */
const withCanonical = ({ fields, list }: LuaTable, canonical: Uint8Array = new Uint8Array()): LuaTable => ({
  list,
  fields: new Map([...fields, ["Canonical", tableOf([...canonical])]])
})

export const configTable = (body: Uint8Array): LuaTable => recordTable(configShape, documentIn(body))

export const descriptorTable = (descriptor: Descriptor): LuaTable => recordTable(descriptorShape, { ...descriptor })

/** Go's names alone. */
export const quotaTable = ({ isSet, limit, policies, remaining, reset }: Quota): LuaTable =>
  recordOf({ Remain: remaining, Limit: limit, Reset: reset, Set: isSet, Policies: tableOf(policies) })

/** The compact JSON of a manifest with the data of `table`; absent for a type that has no record. */
export const manifestJson = (mediaType: string, table: LuaTable, body: Uint8Array): string | undefined => {
  const kind = manifestShape(mediaType)
  return kind === undefined ? undefined : recordJson(kind.shape, table, documentIn(body))
}

/** The compact JSON of a configuration with the data of `table`; its times are those of the original. */
export const configJson = (table: LuaTable, body: Uint8Array): string =>
  recordJson(configShape, table, documentIn(body))

const recordTable = (shape: RecordShape, document: Document): LuaTable => {
  const fields = new Map<string, LuaValue>()
  for (const { json, name, shape: inner } of shape.fields) {
    const value = json === undefined ? valueOf(inner, document) : valueOf(inner, document[json])
    if (value === undefined) continue
    fields.set(name, value)
    if (json !== undefined) fields.set(json, value)
  }
  return { list: [], fields }
}

/** What a script sees of a value; of one that is none of its shape, the zero. */
const valueOf = (shape: Shape, value: unknown): LuaValue => {
  switch (shape.is) {
    case "text":
      return typeof value === "string" ? value : ""
    case "whole":
      return typeof value === "number" ? Math.trunc(value) : 0
    case "flag":
      return value === true
    case "bytes":
      return tableOf(typeof value === "string" ? [...Buffer.from(value, "base64")] : [])
    case "time":
      return shownTime(value)
    case "map":
      return { list: [], fields: new Map(membersOf(value).map(([key, it]) => [key, valueOf({ is: "text" }, it)])) }
    case "set":
      return { list: [], fields: new Map(membersOf(value).map(([key]) => [key, recordOf({})])) }
    case "list":
      return tableOf(Array.isArray(value) ? value.map((it) => valueOf(shape.of, it)) : [])
    case "maybe":
      return value === undefined || value === null ? undefined : valueOf(shape.of, value)
    case "record":
      return recordTable(shape, isObject(value) ? value : {})
  }
}

const membersOf = (value: unknown): ReadonlyArray<readonly [string, unknown]> =>
  isObject(value) ? Object.entries(value) : []

const timeOf = (value: unknown): GoTime | undefined => {
  const read = typeof value === "string" ? parseTime(rfc3339Nano, value) : undefined
  return read !== undefined && "time" in read ? read.time : undefined
}

/** `2021-02-03 04:05:06.123456789 +0000 UTC`; an offset without a name shows twice. */
const shownTime = (value: unknown): string | undefined => {
  const time = timeOf(value)
  return time === undefined ? undefined : formatTime(time, "2006-01-02 15:04:05.999999999 -0700 MST")
}

const escaped = { escapeHtml: true }

const recordJson = (shape: RecordShape, value: LuaValue, original: Document): string =>
  jsonObject(membersJson(shape, value, original, timesIn(original)), escaped)

/** The times of a document by what scripts see of them: a history that was cut or sorted keeps its own. */
type Times = ReadonlyMap<string, unknown>

const timesIn = (document: Document): Times => {
  const times = Array.isArray(document["history"])
    ? document["history"].map((it) => isObject(it) ? it["created"] : "")
    : []
  return new Map([...times, document["created"]].flatMap((it) => {
    const shown = shownTime(it)
    return shown === undefined ? [] : [[shown, it] as const]
  }))
}

type Members = ReadonlyArray<readonly [string, string | undefined]>

/** A value that is no table leaves the record as it was. */
const membersJson = (shape: RecordShape, value: LuaValue, original: Document, times: Times): Members => {
  const table = isTable(value) ? value : recordTable(shape, original)
  return shape.fields.flatMap(({ isKept, json, name, shape: inner }): Members => {
    if (json === undefined) {
      return inner.is === "record" ? membersJson(inner, table.fields.get(name), original, times) : []
    }
    const given = table.fields.get(json)
    return !isKept && isZero(inner, given) ? [] : [[json, jsonOf(inner, given, original[json], times)]]
  })
}

/** Whether a field goes unwritten: what cannot be its value counts as its zero. */
const isZero = (shape: Shape, value: LuaValue): boolean => {
  switch (shape.is) {
    case "text":
      return textIn(value) === ""
    case "whole":
      return wholeIn(value) === 0
    case "flag":
      return value !== true
    case "bytes":
    case "list":
      return listIn(value).length === 0
    case "map":
    case "set":
      return !isTable(value) || value.fields.size === 0
    case "time":
    case "maybe":
      return value === undefined
    case "record":
      return false
  }
}

/** JSON of a value for its shape; absent for a time that there is not. */
const jsonOf = (shape: Shape, value: LuaValue, original: unknown, times: Times): string | undefined => {
  switch (shape.is) {
    case "text":
      return jsonString(textIn(value), escaped)
    case "whole":
      return String(wholeIn(value))
    case "flag":
      return String(value === true)
    case "bytes":
      return jsonString(Buffer.from(listIn(value).map(wholeIn)).toString("base64"))
    case "time": {
      const time = timeOf(times.get(textIn(value)) ?? original)
      return time === undefined ? undefined : jsonString(formatTime(time, rfc3339Nano))
    }
    case "map":
      return jsonMap([...fieldsIn(value)].map(([key, it]) => [key, jsonString(textIn(it), escaped)]), escaped)
    case "set":
      return jsonMap([...fieldsIn(value)].map(([key]) => [key, "{}"]), escaped)
    case "list": {
      if (!isTable(value)) return "null"
      const before: ReadonlyArray<unknown> = Array.isArray(original) ? original : []
      return `[${value.list.map((it, at) => jsonOf(shape.of, it, before[at], times)).join(",")}]`
    }
    case "maybe":
      return jsonOf(shape.of, value, original, times)
    case "record":
      return jsonObject(membersJson(shape, value, isObject(original) ? original : {}, times), escaped)
  }
}

const decoder = new TextDecoder()

const textIn = (value: LuaValue): string =>
  value instanceof Uint8Array ? decoder.decode(value) : typeof value === "string" ? value : ""

/** Towards zero; what is no finite number is 0. */
const wholeIn = (value: LuaValue): number =>
  typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) + 0 : 0

const listIn = (value: LuaValue): ReadonlyArray<LuaValue> => isTable(value) ? value.list : []

const fieldsIn = (value: LuaValue): ReadonlyMap<string, LuaValue> => isTable(value) ? value.fields : new Map()
