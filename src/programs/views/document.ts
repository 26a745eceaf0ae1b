/** Documents as a server sent them, looked into by their keys: whatever is in them, a view of them can be made. */
import { textOf } from "../../lib/gotemplate/value.ts"

export type Document = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Document =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The document in the bytes, an empty one when there is none. */
export const documentIn = (bytes: Uint8Array): Document => {
  try {
    const document: unknown = JSON.parse(textOf(bytes))
    return isObject(document) ? document : {}
  } catch {
    return {}
  }
}

/** The text under a key, empty for anything else. */
export const text = (it: Document, key: string): string => {
  const value = it[key]
  return typeof value === "string" ? value : ""
}

/** The texts of a list, without what is none. */
export const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((it) => typeof it === "string") : []

/** The finite number under a key, also one written as a text; 0 for anything else. */
export const number = (it: Document, key: string): number => {
  const value = it[key]
  const read = typeof value === "string" || typeof value === "number" ? Number(value) : 0
  return Number.isFinite(read) ? read : 0
}
