/** Repositories in tar files, to be read: OCI layouts and archives of `docker save`, compressed or not. */
import { Context, Effect, FileSystem, Layer, Path, RcMap, Stdio } from "effect"
import type { Scope } from "effect"
import type { Descriptor } from "../schemas/Descriptor.ts"
import { type ReasonTag, type StoreError, storeError, within } from "../schemas/StoreError.ts"
import type { Contents } from "./archive/contents.ts"
import type { Wanted } from "./archive/pick.ts"
import { WillWrite } from "./Registry.ts"
import type { Repository } from "./Repository.ts"

export interface Archived extends Repository {
  /** The image that who imports the archive means. Fails with TarInvalid when none is. */
  readonly pick: (wanted: Wanted) => Effect.Effect<Descriptor, StoreError>
  /** The same by the archive's other description, `manifest.json`, where the first is a layout. */
  readonly pickSaved?: (name: string) => Effect.Effect<Descriptor, StoreError>
}

export class Archive extends Context.Service<Archive, {
  /**
   * Reads the headers of a tar; `-` is standard input. What is compressed is unpacked into a temporary file that ends
   * with the last scope. Fails with TarInvalid, NotFound, DecompressLimit; with Unsupported for who will write.
   */
  readonly open: (at: { readonly path: string }) => Effect.Effect<Archived, StoreError, Scope.Scope>
}>()("regclient/services/Archive") {
  static readonly layer = Layer.effect(
    Archive,
    Effect.gen(function*() {
      const paths = yield* Path.Path
      const files = yield* FileSystem.FileSystem
      const stdio = yield* Stdio.Stdio
      // Tar and compression are loaded with the first archive.
      const openContents = (path: string) =>
        Effect.flatMap(Effect.promise(() => import("./archive/contents.ts")), (it) => it.openContents(path))
      const repository = (path: string, contents: Contents) =>
        Effect.map(Effect.promise(() => import("./archive/repository.ts")), (it) => it.repository(path, contents))
      const names = new Map<string, string>()
      const open = yield* RcMap.make({
        lookup: (key: string) =>
          openContents(names.get(key) ?? key).pipe(
            Effect.provideService(FileSystem.FileSystem, files),
            Effect.provideService(Path.Path, paths),
            Effect.provideService(Stdio.Stdio, stdio)
          )
      })
      return Archive.of({
        open: Effect.fn("Archive.open")(function*({ path }) {
          if (yield* WillWrite) return yield* readOnly(`ocifile://${path}`)
          const key = path === "-" ? path : paths.resolve(path)
          names.set(key, path)
          return yield* repository(path, yield* Effect.mapError(RcMap.get(open, key), ofArchive(path)))
        })
      })
    })
  )
}

/** What is said to who writes. */
export const readOnly = (name: string): StoreError =>
  storeError(
    `failed to write to ${name}`,
    "Unsupported",
    `unsupported: a tar file can only be read; "regctl image export" writes one`
  )

const ofItsContent: ReadonlySet<ReasonTag> = new Set<ReasonTag>([
  "TarInvalid",
  "DecompressLimit",
  "DigestMismatch",
  "SizeMismatch",
  "SizeLimit",
  "DepthLimit",
  "ManifestInvalid",
  "MediaTypeMismatch"
])

/** What is wrong with an archive, told with its name. */
export const ofArchive = (path: string) => (error: StoreError): StoreError =>
  ofItsContent.has(error.reason._tag) ? within(`failed to read ${path === "-" ? "stdin" : path}`)(error) : error
