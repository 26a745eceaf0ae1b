import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Layer, Path, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { Question } from "../../../src/programs/cli/complete.ts"
import { lookUp } from "../../../src/programs/completion/lookUp.ts"
import { locationName } from "../../../src/schemas/Ref.ts"
import { emptyConfig } from "../../../src/schemas/RegctlConfig.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { ConfigFile } from "../../../src/services/ConfigFile.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { Page, Repository } from "../../../src/services/Repository.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"

const page = (...names: ReadonlyArray<string>): Page => ({ names, body: new Uint8Array(), headers: {} })
const broken = storeError("failed to list", "Unauthorized", "unauthorized")
type Pages = Stream.Stream<Page, typeof broken>

const tags: Readonly<Record<string, Pages>> = {
  "localhost:5000/team/app": Stream.make(page("v1", "v2"), page("edge")),
  "docker.io/library/alpine": Stream.make(page("3")),
  "localhost:5000/slow": Stream.concat(Stream.make(page("v1")), Stream.never),
  "localhost:5000/half": Stream.concat(Stream.make(page("v1")), Stream.fail(broken)),
  "ocidir://dir/lay": Stream.make(page("x"))
}

const catalogs: Readonly<Record<string, Pages>> = {
  "localhost:5000": Stream.make(page("slow", "team/app"), page("team/lib")),
  "docker.io": Stream.make(page("never/asked"))
}

const repository = (name: string): Repository => ({
  ...memoryStore().open({ _tag: "OciLayout", path: name }),
  tags: () => tags[name] ?? Stream.fail(broken)
})

const layer = Layer.mergeAll(
  ConfigFile.layerMemory("config.json", {
    ...emptyConfig,
    hosts: new Map([["localhost:5000", {}], ["registry.example.org", {}], ["no name\n", {}]])
  }),
  Layer.succeed(
    Registry,
    Registry.of({
      open: ({ registry, repository: name }) => Effect.succeed(repository(`${registry}/${name}`)),
      list: (registry) => catalogs[registry] ?? Stream.fail(broken),
      ping: () => Effect.void
    })
  ),
  Layer.succeed(
    Repositories,
    Repositories.of({ open: (location) => Effect.sync(() => repository(locationName(location))) })
  ),
  FileSystem.layerNoop({
    readDirectory: (path) =>
      path === "dir/" ? Effect.succeed(["lay", "left", "line", "la y", "no"]) : Effect.die("elsewhere"),
    stat: (path) => Effect.succeed({ type: path === "dir/line" ? "File" : "Directory" } as FileSystem.File.Info), // all that is read
    exists: (path) => Effect.succeed(path === "dir/lay/oci-layout")
  }),
  Path.layer
)

const found = (source: Question["source"], typed: string) =>
  Effect.map(
    lookUp({ _tag: "Question", source, typed, occurrences: [] }),
    ({ candidates, directive }) => [...candidates.map(({ value }) => value), `:${directive}`].join(" ")
  ).pipe(Effect.provide(layer))

const table = (
  source: Question["source"],
  rows: ReadonlyArray<readonly [typed: string, expected: string]>
) => {
  for (const [typed, expected] of rows) {
    it.effect(`"${typed}" gives ${expected}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* found(source, typed), expected)
      }))
  }
}

describe("a reference", () => {
  table("reference", [
    ["", "localhost:5000/ registry.example.org/ :6"],
    ["reg", "registry.example.org/ :6"],
    ["localhost:5000/t", "localhost:5000/team/app localhost:5000/team/lib :6"],
    [
      "localhost:5000/team/app",
      "localhost:5000/team/app:edge localhost:5000/team/app:v1 localhost:5000/team/app:v2 :4"
    ],
    ["localhost:5000/team/app:v", "localhost:5000/team/app:v1 localhost:5000/team/app:v2 :4"],
    ["localhost:5000/team/app:v1", "localhost:5000/team/app:v1 :4"],
    ["localhost:5000/team/app@sha256:1", ":4"],
    ["localhost:5000/half:", "localhost:5000/half:v1 :4"],
    ["localhost:5000/gone:", ":4"],
    ["alpine:", "alpine:3 :4"],
    ["docker.io/n", ":4"],
    ["Not A Reference", ":4"],
    ["oci", "ocidir:// :6"],
    ["ocidir://dir/l", "ocidir://dir/lay ocidir://dir/left/ :6"],
    ["ocidir://dir/lay", "ocidir://dir/lay:x :4"],
    ["ocidir://dir/lay:", "ocidir://dir/lay:x :4"]
  ])

  it.effect("is completed by what came within two seconds", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(found("reference", "localhost:5000/slow:"))
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "localhost:5000/slow:v1 :4")
    }))
})

describe("a repository", () => {
  table("repository", [
    ["localhost:5000/team/", "localhost:5000/team/app localhost:5000/team/lib :4"],
    ["localhost:5000/slow", "localhost:5000/slow :4"],
    ["l", "localhost:5000/ :6"],
    ["elsewhere:5000/", ":4"]
  ])
})

describe("a registry", () => {
  table("registry", [["", "localhost:5000 registry.example.org :4"], ["x", ":4"]])
})
