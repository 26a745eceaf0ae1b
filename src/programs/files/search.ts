/** Finds a file in a layer, whiteouts considered (library description, 19.3; image-spec, layer.md). */
import { Effect } from "effect"
import { storeError } from "../../schemas/StoreError.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { decompressed } from "../../services/compressed.ts"
import { readTar, type TarEntry } from "../../services/tar.ts"

const whiteout = ".wh."
const opaque = ".wh..wh..opq"

/** A path without a leading `/`, `.` and `..` taken out, empty for the root. */
const cleanPath = (path: string): string => {
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (part !== ".." || !path.startsWith("/")) parts.push(part)
  }
  return parts.join("/")
}

/** Names of entries that say a file of the layers below is gone. */
const coversOf = (path: string): ReadonlySet<string> => {
  const covers = new Set<string>()
  const parts = path.split("/")
  for (const [at, part] of parts.entries()) {
    const parent = parts.slice(0, at).map((it) => `${it}/`).join("")
    covers.add(`${parent}${whiteout}${part}`).add(`${parent}${opaque}`)
  }
  return covers
}

/**
 * Reads a layer to its end, so that its digest is verified, and visits the first entry that has the name; links are
 * not followed. `undefined` when there is none, and nothing says that it was removed; fails with NotFound when it was.
 */
export const findFile = Effect.fnUntraced(function*<A, E, R>(
  layer: Bytes,
  name: string,
  visit: (entry: TarEntry) => Effect.Effect<A, E, R>
) {
  const path = cleanPath(name)
  if (path.startsWith(whiteout)) {
    return yield* storeError("", "NotFound", `${whiteout} prefix is reserved for whiteout files`)
  }
  const covers = coversOf(path)
  let isDeleted = false
  let found: { readonly value: A } | undefined
  yield* readTar(decompressed(layer), (entry) => {
    const entryPath = cleanPath(entry.header.name)
    if (found === undefined && entryPath === path && path !== "") {
      return Effect.map(visit(entry), (value) => {
        found = { value }
      })
    }
    isDeleted ||= covers.has(entryPath)
    return Effect.void
  })
  if (found === undefined && isDeleted) return yield* storeError("", "NotFound", "file deleted")
  return found
})
