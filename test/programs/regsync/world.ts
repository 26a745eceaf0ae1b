/** A run over repositories in memory: what was asked, what was logged, what came out. */
import { Effect, Layer, Logger, References, Result, Stdio, Stream } from "effect"
import { parseYaml } from "../../../src/lib/yaml.ts"
import { runJobs, type RunOptions } from "../../../src/programs/regsync/run.ts"
import { Shared } from "../../../src/programs/regsync/shared.ts"
import { parseRef } from "../../../src/schemas/Ref.ts"
import { readRegsyncConfig, withDefaults } from "../../../src/schemas/RegsyncConfig.ts"
import { SettingsReader } from "../../../src/schemas/settings.ts"
import type { Job, PairResult, SyncEvent } from "../../../src/schemas/Sync.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"
import { SyncEvents } from "../../../src/services/SyncEvents.ts"
import { type Made, push } from "../../fixtures/images.ts"

const unlimited = RateLimiter.of({
  admit: () => (effect) => effect,
  enter: () => Effect.void,
  spare: () => () => Effect.succeedNone,
  observe: () => Effect.void,
  quota: () => Effect.succeedNone
})

/** The entries of a file, defaults applied. */
export const jobsOf = (text: string): ReadonlyArray<Job> => {
  const parsed = parseYaml(text)
  if ("problem" in parsed) throw new Error(parsed.problem)
  const config = readRegsyncConfig(new SettingsReader(), parsed.node)
  return config.sync.map((entry, at) => ({ name: `job ${at + 1}`, entry: withDefaults(entry, config.defaults) }))
}

/** How a repository behaves otherwise, by its name such as `b.example/app`. */
export type Otherwise = (name: string, repository: Repository) => Partial<Repository>

export const makeWorld = (otherwise: Otherwise = () => ({}), catalog: ReadonlyArray<ReadonlyArray<string>> = []) => {
  const store = memoryStore()
  const asked: Array<string> = []
  const logs: Array<string> = []
  const events: Array<SyncEvent> = []
  const note = (text: string) => Effect.sync(() => void asked.push(text))
  const noted = (name: string, it: Repository): Repository => {
    const of = (reference: Parameters<Repository["resolve"]>[0]) =>
      reference._tag === "ByTag" ? `:${reference.tag}` : "@digest"
    return {
      ...it,
      resolve: (reference) => Effect.andThen(note(`HEAD ${name}${of(reference)}`), it.resolve(reference)),
      manifest: (reference, expected) =>
        Effect.andThen(note(`GET ${name}${of(reference)}`), it.manifest(reference, expected)),
      tags: (page) => Stream.unwrap(Effect.as(note(`TAGS ${name}`), it.tags(page))),
      putBlob: (content, expected) => Effect.andThen(note(`PUT ${name} blob`), it.putBlob(content, expected)),
      putManifest: (manifest, how) =>
        Effect.andThen(
          note(`PUT ${name}${how?.tag === undefined ? "@digest" : `:${how.tag}`}`),
          it.putManifest(manifest, how)
        )
    }
  }
  const at = (text: string): Repository => store.open(Result.getOrThrow(parseRef(text)).location)
  const repositories = Repositories.of({
    open: (location) => {
      const repository = store.open(location)
      const name = location._tag === "Registry" ? `${location.registry}/${location.repository}` : location.path
      return Effect.succeed(noted(name, { ...repository, ...otherwise(name, repository) }))
    }
  })
  const registry = Registry.of({
    open: () => Effect.die("unused"),
    ping: () => Effect.die("unused"),
    list: (name, { last } = {}) =>
      Stream.unwrap(Effect.as(
        note(`CATALOG ${name}${last === undefined ? "" : ` after ${last}`}`),
        Stream.make({
          names: catalog[last === undefined ? 0 : catalog.findIndex((page) => page.at(-1) === last) + 1] ?? [],
          body: new Uint8Array(),
          headers: {}
        })
      ))
  })
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const fields = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
    logs.push(
      [
        logLevel.toUpperCase(),
        ...(Array.isArray(message) ? message : [message]),
        ...fields.map(([key, value]) => `${key}=${String(value)}`)
      ].join(" ")
    )
  })
  const layer = (parallel: number) =>
    Layer.mergeAll(
      Layer.succeed(Repositories, repositories),
      Layer.succeed(Registry, registry),
      Layer.succeed(RateLimiter, unlimited),
      Progress.layerSilent,
      Formatter.layer.pipe(Layer.provide(Stdio.layerTest({}))),
      Layer.succeed(
        SyncEvents,
        SyncEvents.of({
          publish: (event) => Effect.sync(() => void events.push(event)),
          stream: Stream.empty
        })
      ),
      Shared.layer(parallel),
      Logger.layer([logger]),
      Layer.succeed(References.MinimumLogLevel, "Debug")
    )
  const results: Array<PairResult> = []
  const run = (text: string, options: Partial<RunOptions> = {}) => {
    asked.length = 0
    logs.length = 0
    results.length = 0
    const all: RunOptions = { action: "copy", parallel: 0, abortOnError: false, ...options }
    return runJobs(jobsOf(text), { ...all, each: (result) => Effect.sync(() => void results.push(result)) }).pipe(
      Effect.provide(layer(all.parallel))
    )
  }
  const tags = (text: string) =>
    Effect.map(Stream.runCollect(at(text).tags()), (pages) => [...pages].flatMap(({ names }) => [...names]).sort())
  return {
    at,
    asked,
    logs,
    events,
    results,
    run,
    tags,
    put: (text: string, made: Made, ...names: ReadonlyArray<string>) =>
      Effect.forEach(names, (name) => push(at(text), made, name), { discard: true })
  }
}
