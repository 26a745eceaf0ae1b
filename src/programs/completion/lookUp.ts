/** What completes references, repositories and registries: asked of the configuration, registries and layouts. */
import { Effect, FileSystem, Path, Result, Stream } from "effect"
import { parseHost, parseRef } from "../../schemas/Ref.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { Registry } from "../../services/Registry.ts"
import { Repositories } from "../../services/Repositories.ts"
import { directives, type Known, type Question } from "../cli/complete.ts"

/** Time to answer; a user who types does not wait longer. */
const deadline = "2 seconds"

/**
 * The candidates of every source that answers within two seconds, as far as they came until then. No failure is told:
 * the user is in the midst of typing.
 */
export const lookUp = Effect.fn("complete")(function*({ source, typed }: Question) {
  const [words, beginnings]: [Set<string>, Set<string>] = [new Set(), new Set()]
  const isRepository = source === "repository"
  const sources = source === "registry"
    ? [silent(registries((name) => words.add(name)))]
    : [
      silent(registries((name) => beginnings.add(`${name}/`))),
      silent(repositories(typed, (name) => (isRepository ? words : beginnings).add(name))),
      silent(layouts(typed, (path) => beginnings.add(path))),
      ...(isRepository ? [] : [silent(tags(typed, (name) => words.add(name)))])
    ]
  yield* Effect.all(sources, { concurrency: sources.length, discard: true })
  const ends = [...words].filter((it) => it.startsWith(typed)).sort()
  const more = [...beginnings].filter((it) => it.startsWith(typed) && it !== typed).sort()
  const known: Known = {
    _tag: "Known",
    candidates: [...ends, ...more].map((value) => ({ value })),
    directive: directives.noFiles + (ends.length === 0 && more.length > 0 ? directives.noSpace : 0)
  }
  return known
})

type Found = (word: string) => void

type Services = ConfigFile | Registry | Repositories | FileSystem.FileSystem | Path.Path

const silent = (looking: Effect.Effect<void, unknown, Services>): Effect.Effect<void, never, Services> =>
  looking.pipe(Effect.timeoutOption(deadline), Effect.catchCause(() => Effect.void), Effect.asVoid)

/** Those the configuration file names (regctl description, section 3). */
const registries = Effect.fnUntraced(function*(found: Found) {
  const { hosts } = yield* (yield* ConfigFile).load
  for (const name of hosts.keys()) if (Result.isSuccess(parseHost(name))) found(name)
})

/** Of the registry typed up to its slash, by its catalog; Docker Hub has none to give. */
const repositories = Effect.fnUntraced(function*(typed: string, found: Found) {
  const host = typed.slice(0, Math.max(0, typed.indexOf("/")))
  const registry = parseHost(host)
  if (Result.isFailure(registry) || registry.success === "docker.io") return
  if (/[:@]/.test(typed.slice(host.length))) return
  const { list } = yield* Registry
  yield* eachName(list(registry.success), (name) => found(`${host}/${name}`))
})

/** Of the repository typed so far, with or without the beginning of a tag. */
const tags = Effect.fnUntraced(function*(typed: string, found: Found) {
  const colon = typed.indexOf(":", typed.lastIndexOf("/") + 1)
  const place = colon < 0 ? typed : typed.slice(0, colon)
  const ref = yield* Effect.fromResult(parseRef(place))
  if (ref.digest !== undefined) return
  const { tags } = yield* (yield* Repositories).open(ref.location)
  yield* eachName(tags(), (name) => found(`${place}:${name}`))
}, Effect.scoped)

const eachName = <E>(pages: Stream.Stream<{ readonly names: ReadonlyArray<string> }, E>, found: Found) =>
  Stream.runForEach(pages, ({ names }) => Effect.sync(() => names.forEach(found)))

const scheme = "ocidir://"

/** Layout directories, and directories on the way to one; none that a shell would take for several words. */
const layouts = Effect.fnUntraced(function*(typed: string, found: Found) {
  if (!typed.startsWith(scheme)) return typed === "" ? undefined : found(scheme)
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const parent = /^(?:.*\/)?/.exec(typed.slice(scheme.length))?.[0] ?? ""
  for (const name of yield* fs.readDirectory(parent === "" ? "." : parent)) {
    const path = parent + name
    const isCandidate = `${scheme}${path}`.startsWith(typed) && !path.includes(" ")
    if (!isCandidate || Result.isFailure(parseRef(scheme + path))) continue
    if ((yield* fs.stat(path)).type !== "Directory") continue
    found((yield* fs.exists(paths.join(path, "oci-layout"))) ? `${scheme}${path}` : `${scheme}${path}/`)
  }
})
