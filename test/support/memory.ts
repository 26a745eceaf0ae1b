/** Repositories in memory, opened as a program opens real ones. */
import { Effect, Layer, Result } from "effect"
import { decodeManifest } from "../../src/schemas/Manifest.ts"
import { parseRef } from "../../src/schemas/Ref.ts"
import { Repositories } from "../../src/services/Repositories.ts"
import type { Repository } from "../../src/services/Repository.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"

/** A store, the layer that opens it, and the repository a reference names in it. */
export const inMemory = () => {
  const store = memoryStore()
  const layer = Layer.succeed(
    Repositories,
    Repositories.of({ open: (location) => Effect.sync(() => store.open(location)) })
  )
  const at = (text: string): Repository => store.open(Result.getOrThrow(parseRef(text)).location)
  return { layer, at }
}

/** An index without entries that differs by its note. */
export const emptyIndex = (note: string) =>
  Result.getOrThrow(decodeManifest(
    new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [],
      annotations: { note }
    })),
    { name: note }
  ))
