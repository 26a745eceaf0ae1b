/** Layouts in temporary directories, and the programs that tests run beside them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, FileSystem, Layer, type Scope } from "effect"
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Tag } from "../../../src/schemas/Ref.ts"
import { fromBytes } from "../../../src/services/Bytes.ts"
import { OciLayout } from "../../../src/services/OciLayout.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { encode, image } from "../../fixtures/content.ts"

/** Runs with a layout service of its own and an empty directory. */
export const inDirectory = <A, E>(
  body: (dir: string) => Effect.Effect<A, E, OciLayout | FileSystem.FileSystem | Scope.Scope>
): Effect.Effect<A, unknown> =>
  Effect.gen(function*() {
    const services = yield* Layer.build(OciLayout.layer.pipe(Layer.provideMerge(NodeServices.layer)))
    return yield* Effect.gen(function*() {
      return yield* body(yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped())
    }).pipe(Effect.provide(services))
  }).pipe(Effect.scoped)

/** Opens a layout for one use; its end sweeps. */
export const using = <A, E, R = never>(path: string, body: (repository: Repository) => Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    return yield* body(yield* (yield* OciLayout).open({ path }))
  }))

/** An image of a config and a layer with this text, under a tag. */
export const putImage = (repository: Repository, tag: string, text: string) =>
  Effect.gen(function*() {
    const layer = yield* repository.putBlob(fromBytes(encode(text)))
    const config = yield* repository.putBlob(fromBytes(encode(JSON.stringify({ text }))))
    const manifest = image({
      config: { ...config, mediaType: "application/vnd.oci.image.config.v1+json" },
      layers: [{ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar" }]
    })
    yield* repository.putManifest(manifest, { tag: Tag.make(tag) })
    return { manifest, layer, config }
  })

/** Paths below a directory, sorted. */
export const filesIn = (dir: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(async () =>
    (await fs.readdir(dir, { recursive: true, withFileTypes: true }))
      .filter((it) => !it.isDirectory())
      .map((it) => join(it.parentPath, it.name).slice(dir.length + 1))
      .sort()
  )

export const node = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node")
export const writer = join(import.meta.dirname, "../../fixtures/layoutWriter.ts")

/** What a program prints; a program that is absent or fails is a failed test. */
export const run = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const child = execFile(program, args, { timeout: 150_000 }, (error, stdout, stderr) => {
      resume(
        error === null
          ? Effect.succeed(stdout)
          : Effect.die(new Error(`${program} ${args.join(" ")}: ${error.message}\n${stderr}`))
      )
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })
