/**
 * The repositories of the embedded registry: each name is an OCI layout of that path below one directory.
 *
 * An opened repository stays open as long as the layer and is never swept: a blob that waits for its manifest, even
 * over a restart, would vanish. Reading a name that does not exist opens and creates nothing.
 */
import { Context, Effect, Exit, FileSystem, Layer, Option, Path, Scope, Semaphore } from "effect"
import type { PlatformError } from "effect"
import { type Descriptor } from "../schemas/Descriptor.ts"
import { isRepository, Location } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { platformError } from "./fsError.ts"
import { SweepAtEnd } from "./OciLayout.ts"
import { Repositories } from "./Repositories.ts"
import type { Repository } from "./Repository.ts"

export class ServeStore extends Context.Service<ServeStore, {
  /** The repository, if something was ever put there. */
  readonly find: (name: string) => Effect.Effect<Option.Option<Repository>, StoreError>
  /** Writes to a repository; one that was not there is, once this succeeds. */
  readonly write: <A, E, R>(
    name: string,
    use: (repository: Repository) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreError, R>
  /** As `write`, one at a time for each repository: a condition and the change it guards. */
  readonly change: <A, E, R>(
    name: string,
    use: (repository: Repository) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreError, R>
  /** All names, sorted. */
  readonly names: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Takes a blob over from another repository, or from whichever has it. `false` when none has. */
  readonly mount: (name: string, blob: Descriptor, from: Option.Option<string>) => Effect.Effect<boolean, StoreError>
}>()("regclient/services/ServeStore") {
  /** `root` is a directory; a name must fit `isRepositoryName`, which keeps its path inside. */
  static readonly layer = (root: string) =>
    Layer.effect(
      ServeStore,
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const repositories = yield* Repositories
        const scope = yield* Effect.scope
        const base = path.resolve(root)
        const held = new Map<string, Held>()
        const one = Semaphore.makeUnsafe(1)
        const open = (name: string, exists: boolean) =>
          one.withPermit(Effect.uninterruptible(Effect.gen(function*() {
            const found = held.get(name) ?? (yield* opened(repositories, path.join(base, name), scope))
            held.set(name, found)
            if (exists) found.exists = true
            else found.users++
            return found
          })))
        /** A name under which nothing was put in the end is forgotten: clients may try any number of them. */
        const close = (name: string, done: Held) =>
          one.withPermit(Effect.suspend(() => {
            if (--done.users > 0 || done.exists) return Effect.void
            held.delete(name)
            return Scope.close(done.scope, Exit.void)
          }))
        const isLayout = (name: string) => storage(fs.exists(path.join(base, name, "oci-layout")))
        const layouts = layoutNames(fs, path, base)
        return ServeStore.of(operations(held, { open, close, isLayout, layouts }))
      })
    )
}

interface Held {
  readonly repository: Repository
  readonly turn: Semaphore.Semaphore
  readonly scope: Scope.Closeable
  /** Something was put there. */
  exists: boolean
  /** Writes under way. */
  users: number
}

const opened = Effect.fnUntraced(function*(repositories: Repositories["Service"], path: string, parent: Scope.Scope) {
  const scope = Scope.forkUnsafe(parent)
  const opening = Effect.provideService(repositories.open(Location.OciLayout({ path })), SweepAtEnd, false)
  const repository = yield* Scope.provide(opening, scope).pipe(Effect.onError(() => Scope.close(scope, Exit.void)))
  const held: Held = { repository, turn: Semaphore.makeUnsafe(1), scope, exists: false, users: 0 }
  return held
})

interface Doors {
  /** For one who found it there, or for a write, which ends with `close`. */
  readonly open: (name: string, exists: boolean) => Effect.Effect<Held, StoreError>
  readonly close: (name: string, done: Held) => Effect.Effect<void>
  readonly isLayout: (name: string) => Effect.Effect<boolean, StoreError>
  readonly layouts: Effect.Effect<ReadonlyArray<string>, StoreError>
}

/** How many repositories are asked for a blob whose source the client did not name. */
const searched = 1000

const operations = (
  held: ReadonlyMap<string, Held>,
  { close, isLayout, layouts, open }: Doors
): Context.Service.Shape<typeof ServeStore> => {
  const find = (name: string) =>
    Effect.gen(function*() {
      const known = held.get(name)?.exists === true || (yield* isLayout(name))
      if (!known) return Option.none<Repository>()
      const { repository } = yield* open(name, true)
      return Option.some(repository)
    })
  const holding = <A, E, R>(name: string, use: (it: Held) => Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      open(name, false),
      (it) =>
        Effect.tap(use(it), () =>
          Effect.sync(() => {
            it.exists = true
          })),
      (it) => close(name, it)
    )
  const write = <A, E, R>(name: string, use: (repository: Repository) => Effect.Effect<A, E, R>) =>
    holding(name, ({ repository }) => use(repository))
  const names = Effect.map(layouts, (found) => {
    const written = [...held].filter(([, { exists }]) => exists).map(([name]) => name)
    return [...new Set([...found, ...written])].sort()
  })
  const has = (name: string, blob: Descriptor) =>
    Effect.gen(function*() {
      const found = yield* find(name)
      if (Option.isNone(found)) return undefined
      return yield* found.value.headBlob(blob).pipe(
        Effect.map(({ descriptor }) => ({ repository: found.value, descriptor })),
        Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(undefined))
      )
    })
  const take = (name: string, from: Repository, blob: Descriptor) =>
    write(
      name,
      (target) =>
        Effect.flatMap(target.mountBlob(blob, from.location), (isMounted) =>
          isMounted ? Effect.succeed(true) : Effect.as(target.putBlob(from.blob(blob), blob), true))
    ).pipe(
      // Deleted meanwhile: the client is to send it.
      Effect.catchReason("StoreError", "NotFound", () =>
        Effect.succeed(false))
    )
  return {
    find,
    write,
    change: (name, use) => holding(name, ({ repository, turn }) => turn.withPermit(use(repository))),
    names,
    mount: (name, blob, from) =>
      Effect.gen(function*() {
        const own = yield* has(name, blob)
        // What another is just putting there is not durable before it is told so here.
        if (own !== undefined) return yield* take(name, own.repository, own.descriptor)
        // Those open already come first: an image is usually mounted from one that was just pushed.
        const candidates = Option.isSome(from) ? [from.value] : [...new Set([...held.keys(), ...(yield* names)])]
        for (const candidate of candidates.slice(0, searched)) {
          const found = candidate === name ? undefined : yield* has(candidate, blob)
          if (found !== undefined) return yield* take(name, found.repository, found.descriptor)
        }
        return false
      })
  }
}

/** Directories with an `oci-layout` file; links are not followed, and a layout's own parts hold none. */
const layoutNames = (fs: FileSystem.FileSystem, path: Path.Path, base: string) => {
  const walk = (name: string): Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError> =>
    Effect.gen(function*() {
      const entries = yield* Effect.catchIf(
        fs.readDirectoryEntries(path.join(base, name)),
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeed([])
      )
      const isLayout = entries.some((entry) => entry.name === "oci-layout" && entry.type === "File")
      const below = entries.filter((entry) => entry.type === "Directory")
        .map((entry) => (name === "" ? entry.name : `${name}/${entry.name}`))
        .filter((below) => isRepositoryName(below))
      const inner = yield* Effect.forEach(below, walk)
      return [...(isLayout && name !== "" ? [name] : []), ...inner.flat()]
    })
  return storage(walk(""))
}

/**
 * Whether a text names a repository here (distribution-spec, pull): up to 255 characters, and no component after the
 * first is a part of the layout that its parent may be.
 */
export const isRepositoryName = (text: string): boolean =>
  text.length <= 255 && isRepository(text) && !/\/(?:blobs|oci-layout|index\.json)(?:\/|$)/.test(text)

const storage = <A, R>(effect: Effect.Effect<A, PlatformError.PlatformError, R>) =>
  Effect.mapError(effect, platformError())
