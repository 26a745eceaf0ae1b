/** What a dry copy says a copy will need, beside what one then needs, counted in the registries' own logs. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { layoutOf } from "../../../bench/content.ts"
import { live } from "../../../src/layers/Live.ts"
import { copy, type CopyOptions } from "../../../src/programs/copy/copy.ts"
import { parseRef } from "../../../src/schemas/Ref.ts"
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
    await Effect.runPromise(copied(`ocidir://${dir.path}/${name}:v1`, `${source.host}/${name}:v1`))
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

const copied = (from: string, to: string, dry = false) => {
  const refOf = (text: string) => Result.getOrThrow(parseRef(text))
  const run = copy(refOf(from), refOf(to), options)
  const whole = dry
    ? Effect.scoped(
      Effect.flatMap(
        Effect.flatMap(Repositories, dryRepositories),
        (repositories) => Effect.provideService(run, Repositories, repositories)
      )
    )
    : run
  return Effect.provide(
    whole,
    live.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ HOME: "/nowhere" }))))
  ).pipe(
    Effect.provideService(Globals, {
      ...Globals.defaultValue(),
      hosts: [source.host, target.host].map((host) => `reg=${host},tls=disabled`)
    })
  )
}

/** Requests of both registries by method and kind. */
const requests = async () => {
  const all = [...await source.requests(), ...await target.requests()]
  return all.map(({ method, path }) => `${method} ${/\/(manifests|blobs|tags)\//.exec(path)?.[1] ?? path}`).sort()
}

const measured = async (from: string, to: string, dry: boolean) => {
  await requests()
  const writes: Array<Write> = []
  const record = (write: Write) => Effect.sync(() => void writes.push(write))
  await Effect.runPromise(Effect.provideService(copied(from, to, dry), Journal, { record }))
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
    const dry = await measured(from, to, true)
    assert.deepStrictEqual(dry.requests, ["GET manifests", "HEAD manifests"])
    assert.strictEqual(dry.announced, 13)
    assert.strictEqual(dry.bytes, sizeOf("small"))
    const real = await measured(from, to, false)
    assert.deepStrictEqual(real.writes, [])
    assert.strictEqual(real.requests.length, 2 + 13)
    assert.strictEqual(sizeOf("store/app"), dry.bytes)
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
    const dry = await measured(from, to, true)
    assert.deepStrictEqual(dry.requests, ["GET manifests", "HEAD blobs", "HEAD blobs", "HEAD manifests"])
    assert.strictEqual(dry.announced, 10)
    assert.strictEqual(dry.bytes, sizeOf("large"))
    assert.strictEqual((await measured(from, to, false)).requests.length, 4 + 10)
  })

  it("within a registry announces the mounts", async () => {
    const [from, to] = [`${source.host}/small:v1`, `${source.host}/beside:v1`]
    const dry = await measured(from, to, true)
    assert.deepStrictEqual(dry.requests, ["GET manifests", "HEAD manifests"])
    assert.strictEqual(dry.announced, 5)
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
    const dry = await measured(from, to, true)
    assert.deepStrictEqual(dry.requests, ["GET manifests"])
    assert.deepStrictEqual([dry.announced, dry.bytes], [4, sizeOf("small")])
    assert.notInclude(readdirSync(dir.path), "made")
    assert.strictEqual((await measured(from, to, false)).requests.length, 1 + 4)
    assert.strictEqual(sizeOf("made"), sizeOf("small"))
  })

  it("of what is there already announces nothing", async () => {
    const [from, to] = [`${source.host}/small:v1`, `${target.host}/app:v1`]
    const dry = await measured(from, to, true)
    assert.deepStrictEqual(dry.requests, ["HEAD manifests", "HEAD manifests"])
    assert.deepStrictEqual(dry.writes, [])
  })
})
