import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs/promises"
import { Reference, Tag } from "../../../src/schemas/Ref.ts"
import { collect } from "../../../src/services/Bytes.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { filesIn, inDirectory, node, putImage, run, using, writer } from "./places.ts"

const byTag = (tag: string) => Reference.ByTag({ tag: Tag.make(tag) })
const tagsOf = (repository: Repository) =>
  Effect.map(Stream.runCollect(repository.tags()), (pages) => pages.flatMap(({ names }) => names))

/** Reads all that a tag reaches; every byte is verified. */
const readImage = Effect.fnUntraced(function*(repository: Repository, tag: string) {
  const manifest = yield* repository.manifest(byTag(tag))
  if (manifest._tag !== "Image") return assert.fail(`${tag} is no image`)
  for (const blob of [manifest.config, ...manifest.layers]) yield* collect(repository.blob(blob), 64 * 1024 * 1024)
  return manifest
})

/** Runs the writer and kills it after it printed so many lines and some milliseconds. */
const killed = (dir: string, name: string, lines: number, later: number) =>
  Effect.callback<ReadonlyArray<string>>((resume) => {
    const child = spawn(node, [writer, dir, name, "1000", "3000000"], { stdio: ["ignore", "pipe", "inherit"] })
    let text = ""
    child.stdout.on("data", (part: Buffer) => {
      text += part.toString()
      if (text.split("\n").length > lines) setTimeout(() => child.kill("SIGKILL"), later)
    })
    child.on("close", () => resume(Effect.succeed(text.split("\n").slice(0, -1))))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("a layout and other programs", () => {
  it.live("keeps every tag of 16 processes that write at once", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const writers = Array.from({ length: 16 }, (_, at) => `w${at}`)
        yield* Effect.forEach(writers, (name) => run(node, writer, dir, name, "8", "1000"), { concurrency: 16 })
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            const tags = yield* tagsOf(repository)
            const expected = writers.flatMap((name) => Array.from({ length: 8 }, (_, at) => `${name}-${at}`))
            assert.deepStrictEqual(tags, expected.sort())
            yield* Effect.forEach(tags, (tag) => readImage(repository, tag))
          }))
        assert.deepStrictEqual((yield* filesIn(dir)).filter((name) => name.includes(".regclient")), [])
      })
    ), 180_000)
  it.live("loses nothing to a sweep while others write", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        const writers = ["a", "b", "c"]
        const writing = yield* Effect.forkChild(
          Effect.forEach(writers, (name) => run(node, writer, dir, name, "15", "100000"), { concurrency: 3 })
        )
        let sweeps = 0
        for (; writing.pollUnsafe() === undefined; sweeps++) {
          yield* using(dir, (repository) => putImage(repository, "gone", `gone ${sweeps}`))
          yield* using(dir, (repository) => repository.deleteTag(Tag.make("gone")))
        }
        yield* Fiber.join(writing)
        assert.isAbove(sweeps, 1)
        const expected = writers.flatMap((name) => Array.from({ length: 15 }, (_, at) => `${name}-${at}`))
        yield* using(dir, (repository) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* tagsOf(repository), expected.sort())
            yield* Effect.forEach(expected, (tag) => readImage(repository, tag))
          }))
      })
    ), 180_000)
  it.live(
    "is whole after its writer was killed, and takes the next",
    () =>
      inDirectory((dir) =>
        Effect.gen(function*() {
          for (const [at, later] of [0, 3, 7, 12, 20].entries()) {
            const written = yield* killed(dir, `k${at}`, 2, later)
            yield* using(dir, (repository) =>
              Effect.gen(function*() {
                const tags = yield* tagsOf(repository)
                assert.includeMembers(tags, [...written])
                yield* Effect.forEach(
                  tags.filter((tag) => tag.startsWith(`k${at}`)),
                  (tag) => readImage(repository, tag)
                )
              }))
          }
          yield* using(dir, (repository) => putImage(repository, "after", "after"))
          const left = (yield* filesIn(dir)).filter((name) => name.includes(".regclient"))
          assert.deepStrictEqual(left, [])
        })
      ),
    180_000
  )
  it.live("is read by skopeo and umoci", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* run("umoci", "init", "--layout", `${dir}/made`)
        yield* run("umoci", "new", "--image", `${dir}/made:base`)
        yield* using(`${dir}/made`, (source) =>
          using(`${dir}/ours`, (target) =>
            Effect.gen(function*() {
              const image = yield* readImage(source, "base")
              for (const blob of [image.config, ...image.layers]) yield* target.putBlob(source.blob(blob), blob)
              yield* target.putManifest(image, { tag: Tag.make("copied") })
            })))
        const digest = (yield* using(`${dir}/made`, (it) => it.resolve(byTag("base")))).descriptor.digest
        assert.strictEqual(JSON.parse(yield* run("skopeo", "inspect", `oci:${dir}/ours:copied`)).Digest, digest)
        assert.strictEqual(yield* run("umoci", "ls", "--layout", `${dir}/ours`), "copied\n")
        yield* run("umoci", "tag", "--image", `${dir}/ours:copied`, "again")
        yield* run("umoci", "gc", "--layout", `${dir}/ours`)
        yield* using(`${dir}/ours`, (repository) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* tagsOf(repository), ["again", "copied"])
            yield* readImage(repository, "again")
          }))
      })
    ), 60_000)
  it.live("reads and changes what skopeo and umoci made", () =>
    inDirectory((dir) =>
      Effect.gen(function*() {
        yield* run("umoci", "init", "--layout", `${dir}/umoci`)
        yield* run("umoci", "new", "--image", `${dir}/umoci:v1`)
        yield* Effect.promise(() => fs.mkdir(`${dir}/content`))
        yield* Effect.promise(() => fs.writeFile(`${dir}/content/file`, "content"))
        yield* run("umoci", "insert", "--rootless", "--image", `${dir}/umoci:v1`, `${dir}/content/file`, "/file")
        const skopeo = ["--insecure-policy", "copy", `oci:${dir}/umoci:v1`]
        yield* run("skopeo", ...skopeo, `oci:${dir}/skopeo:v2`)
        yield* run("skopeo", ...skopeo, `oci:${dir}/skopeo:registry.example/a/b:v3`)
        yield* using(`${dir}/skopeo`, (repository) =>
          Effect.gen(function*() {
            assert.deepStrictEqual(yield* tagsOf(repository), ["v2", "v3"])
            const image = yield* readImage(repository, "v3")
            assert.lengthOf(image.layers, 1)
            yield* repository.putManifest(image, { tag: Tag.make("ours") })
            yield* repository.deleteTag(Tag.make("v2"))
          }))
        const inspected = JSON.parse(yield* run("skopeo", "inspect", `oci:${dir}/skopeo:ours`))
        assert.lengthOf(inspected.Layers, 1)
        yield* using(`${dir}/skopeo`, (repository) => readImage(repository, "v3"))
      })
    ), 60_000)
  it.live(
    "fails with the path when a file may not grow, and leaves no part of it",
    () =>
      inDirectory((dir) =>
        Effect.gen(function*() {
          const command = `ulimit -f 2000; trap '' XFSZ; "${node}" "${writer}" "${dir}/small" a 1 30000000 2>&1; true`
          const output = yield* run("sh", "-c", command)
          assert.include(output, `${dir}/small/blobs/sha256`)
          assert.deepStrictEqual(yield* filesIn(`${dir}/small`), ["index.json", "oci-layout"])
        })
      ),
    60_000
  )
})
