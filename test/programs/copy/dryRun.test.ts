/** What a dry copy says a copy will need, beside what one then needs, counted in the registries' own logs. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { layoutOf } from "../../../bench/content.ts"
import { live } from "../../../src/layers/Live.ts"
import { copy, type CopyOptions } from "../../../src/programs/copy/copy.ts"
import { Location, parseRef, Reference, Tag } from "../../../src/schemas/Ref.ts"
import { collect } from "../../../src/services/Bytes.ts"
import { Globals } from "../../../src/services/Globals.ts"
import { Journal, type Write } from "../../../src/services/Journal.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { dryRepositories } from "../../../src/services/repository/dryRun.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../../support/registries.ts"

const dir = temporary("dry-copy")
let [source, target]: [Running, Running] = [{} as Running, {} as Running] // set before the first test

beforeAll(async () => {
  ;[source, target] = await Promise.all([dockerRegistry(), ownRegistry(["--dir", join(dir.path, "store")])])
  layoutOf(join(dir.path, "small"), "v1", 3, 1000)
  layoutOf(join(dir.path, "large"), "v1", 2, 2 * 1024 * 1024)
  for (const name of ["small", "large"]) {
    await Effect.runPromise(settings(copied(`ocidir://${dir.path}/${name}:v1`, `${source.host}/${name}:v1`)))
  }
})
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()])
  dir.remove()
})

const options: CopyOptions = {
  fastCheck: false,
  forceRecursive: false,
  includeExternal: false,
  referrers: false,
  digestTags: false,
  platforms: []
}

const refOf = (text: string) => Result.getOrThrow(parseRef(text))

const copied = (from: string, to: string) => copy(refOf(from), refOf(to), options)

const dry = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.flatMap(Effect.flatMap(Repositories, dryRepositories), (repositories) =>
      Effect.provideService(effect, Repositories, repositories))
  )

/** With everything real, and no configuration of this machine. */
const settings = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provide(
    effect,
    live.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/nowhere" }))))
  ).pipe(
    Effect.provideService(Globals, {
      ...Globals.defaultValue(),
      hosts: [source.host, target.host].map((host) => `reg=${host},tls=disabled`)
    })
  )

/** Requests of both registries by method and kind. */
const requests = async () => {
  const all = [...await source.requests(), ...await target.requests()]
  return all.map(({ method, path }) => `${method} ${/\/(manifests|blobs|tags)\//.exec(path)?.[1] ?? path}`).sort()
}

const measured = async (from: string, to: string, isDry: boolean) => {
  await requests()
  const writes: Array<Write> = []
  const record = (write: Write) => Effect.sync(() => void writes.push(write))
  const run = isDry ? dry(copied(from, to)) : copied(from, to)
  await Effect.runPromise(Effect.provideService(settings(run), Journal, { record }))
  const sum = (of: "bytes" | "requests") => writes.reduce((total, write) => total + write[of], 0)
  return { requests: await requests(), bytes: sum("bytes"), announced: sum("requests"), writes }
}

const sizeOf = (layout: string): number => {
  const blobs = join(dir.path, layout, "blobs/sha256")
  return readdirSync(blobs).reduce((total, name) => total + statSync(join(blobs, name)).size, 0)
}

describe("a dry copy", () => {
  it("from one registry to another reads no blob, and announces what the copy then takes", async () => {
    const [from, to] = [`${source.host}/small:v1`, `${target.host}/app:v1`]
    const ahead = await measured(from, to, true)
    assert.deepStrictEqual(ahead.requests, ["GET manifests", "HEAD manifests"])
    assert.strictEqual(ahead.announced, 13)
    assert.strictEqual(ahead.bytes, sizeOf("small"))
    const real = await measured(from, to, false)
    assert.deepStrictEqual(real.writes, [])
    assert.strictEqual(real.requests.length, 2 + 13)
    assert.strictEqual(sizeOf("store/app"), ahead.bytes)
    assert.deepStrictEqual(real.requests, [
      ...Array.from({ length: 4 }, () => "GET blobs"),
      "GET manifests",
      "HEAD manifests",
      ...Array.from({ length: 4 }, () => "POST blobs"),
      ...Array.from({ length: 4 }, () => "PUT blobs"),
      "PUT manifests"
    ])
  })

  it("of large layers asks for them as the copy does", async () => {
    const [from, to] = [`${source.host}/large:v1`, `${target.host}/large:v1`]
    const ahead = await measured(from, to, true)
    assert.deepStrictEqual(ahead.requests, ["GET manifests", "HEAD blobs", "HEAD blobs", "HEAD manifests"])
    assert.strictEqual(ahead.announced, 10)
    assert.strictEqual(ahead.bytes, sizeOf("large"))
    assert.strictEqual((await measured(from, to, false)).requests.length, 4 + 10)
  })

  it("within a registry announces the mounts", async () => {
    const [from, to] = [`${source.host}/small:v1`, `${source.host}/beside:v1`]
    const ahead = await measured(from, to, true)
    assert.deepStrictEqual(ahead.requests, ["GET manifests", "HEAD manifests"])
    assert.strictEqual(ahead.announced, 5)
    const real = await measured(from, to, false)
    assert.deepStrictEqual(real.requests, [
      "GET manifests",
      "HEAD manifests",
      ...Array.from({ length: 4 }, () => "POST blobs"),
      "PUT manifests"
    ])
  })

  it("into a layout makes no directory", async () => {
    const [from, to] = [`${source.host}/small:v1`, `ocidir://${dir.path}/made:v1`]
    const ahead = await measured(from, to, true)
    assert.deepStrictEqual(ahead.requests, ["GET manifests"])
    assert.deepStrictEqual([ahead.announced, ahead.bytes], [4, sizeOf("small")])
    assert.notInclude(readdirSync(dir.path), "made")
    assert.strictEqual((await measured(from, to, false)).requests.length, 1 + 4)
    assert.strictEqual(sizeOf("made"), sizeOf("small"))
  })

  it("out of a compressed archive can be read on", async () => {
    execFileSync("tar", ["-czf", join(dir.path, "small.tgz"), "-C", join(dir.path, "small"), "."])
    const run = Effect.gen(function*() {
      yield* copied(`ocifile://${dir.path}/small.tgz:v1`, `ocidir://${dir.path}/never:v1`)
      const { open } = yield* Repositories
      const repository = yield* open(Location.OciLayout({ path: join(dir.path, "never") }))
      const manifest = yield* repository.manifest(Reference.ByTag({ tag: Tag.make("v1") }))
      const layers = manifest._tag === "Image" ? manifest.layers : []
      return yield* Effect.forEach(layers, (layer) => collect(repository.blob(layer), 10_000))
    })
    assert.strictEqual((await Effect.runPromise(settings(dry(Effect.scoped(run))))).length, 3)
    assert.notInclude(readdirSync(dir.path), "never")
  })

  it("of what is there already announces nothing", async () => {
    const [from, to] = [`${source.host}/small:v1`, `${target.host}/app:v1`]
    const ahead = await measured(from, to, true)
    assert.deepStrictEqual(ahead.requests, ["HEAD manifests", "HEAD manifests"])
    assert.deepStrictEqual(ahead.writes, [])
  })
})
