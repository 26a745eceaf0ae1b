/** `image.exportTar(source, file)` and `image.importTar(target, file)` (regbot description, 7.6). */
import { Effect, FileSystem, Path, type Stdio } from "effect"
import { atDigest, commonName, type Ref, referenceOf } from "../../../schemas/Ref.ts"
import type { Archive } from "../../../services/Archive.ts"
import { platformError } from "../../../services/fsError.ts"
import type { HostFunction } from "../../../services/LuaEngine.ts"
import type { Progress } from "../../../services/Progress.ts"
import type { RateLimiter } from "../../../services/RateLimiter.ts"
import { Repositories } from "../../../services/Repositories.ts"
import type { SyncEvents } from "../../../services/SyncEvents.ts"
import { openOutput } from "../../archive/output.ts"
import { copy } from "../../copy/copy.ts"
import { exportImage } from "../../image/export.ts"
import { importImage } from "../../image/import.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, textArgument } from "./arguments.ts"
import { failed, mayUseFiles, nothing } from "./failures.ts"
import { debug, debugOfWrite, infoOfWrite } from "./logged.ts"
import { shown } from "./shown.ts"

type Files = FileSystem.FileSystem | Path.Path

/** The images that a dry run did not write to files, by their absolute paths: it may import them again. */
const exported = new WeakMap<ScriptRun["Service"], Map<string, Ref>>()

/** What commands take for a stream is a file's name here. */
const fileOf = (name: string): string => name === "-" ? "./-" : name

export const exportTar: HostFunction<Files | Progress | Repositories | ScriptRun | Stdio.Stdio> = {
  run: (...args) =>
    Effect.gen(function*() {
      const source = yield* refArgument(args[0], 1)
      const name = yield* textArgument(args[1], 2)
      yield* mayUseFiles("image.exportTar")
      const file = fileOf(name)
      const { isDry, throttled } = yield* ScriptRun
      const exportFailed = failed(`Failed to export image "${commonName(source)}" to "${name}"`)
      yield* throttled(Effect.gen(function*() {
        if (isDry) return yield* Effect.mapError(wouldExport(source, file), exportFailed)
        yield* debug("Export image", { source: commonName(source), file })
        const output = yield* Effect.mapError(openOutput(file), failed(`Failed to open "${name}"`))
        yield* Effect.mapError(exportImage(source, output, plain), exportFailed)
      }))
      return nothing
    })
}

const plain = { compress: false, digestTags: false, platform: "", referrers: false }

const wouldExport = Effect.fnUntraced(function*(source: Ref, file: string) {
  const run = yield* ScriptRun
  const { resolve } = yield* Path.Path
  const { open } = yield* Repositories
  const { descriptor } = yield* Effect.flatMap(open(source.location), (it) => it.resolve(referenceOf(source)))
  exported.set(run, (exported.get(run) ?? new Map()).set(resolve(file), atDigest(source, descriptor.digest)))
  yield* infoOfWrite("Export image", { source: commonName(source), file })
}, Effect.scoped)

export const importTar: HostFunction<
  Progress | Archive | FileSystem.FileSystem | Path.Path | RateLimiter | Repositories | ScriptRun | SyncEvents
> = {
  run: (...args) =>
    Effect.gen(function*() {
      const target = yield* refArgument(args[0], 1)
      const name = yield* textArgument(args[1], 2)
      yield* mayUseFiles("image.importTar")
      const file = fileOf(name)
      const run = yield* ScriptRun
      const { resolve } = yield* Path.Path
      const known = exported.get(run)?.get(resolve(file))
      const ends = { source: name, target: commonName(target) }
      yield* run.throttled(Effect.gen(function*() {
        if (known === undefined) yield* Effect.mapError(readable(file), failed(`Failed to read from "${name}"`))
        yield* debugOfWrite("Import image", { target: ends.target, file })
        const choice = { digestTags: false, referrers: false }
        const writing = known === undefined
          ? importImage(target, file, { ...choice, name: "" })
          : copy(known, target, { ...choice, ...asImported })
        yield* writing.pipe(
          shown("import", ends),
          Effect.mapError(failed(`Failed to import image "${ends.target}" from "${name}"`))
        )
      }))
      return nothing
    })
}

const asImported = { fastCheck: false, forceRecursive: false, includeExternal: true, platforms: [] }

const readable = (file: string) =>
  Effect.flatMap(
    FileSystem.FileSystem,
    (files) => Effect.mapError(files.access(file, { readable: true }), platformError("open", file))
  )
