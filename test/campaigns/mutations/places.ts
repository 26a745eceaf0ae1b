/** Layout directories with one file changed: what is read is whole or refused, what is written spares all that is good. */
import { Effect, Exit, Layer, Result, Stream } from "effect"
import { createHash } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { decodeManifest } from "../../../src/schemas/Manifest.ts"
import { isTag, Location, Reference, Tag } from "../../../src/schemas/Ref.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { layoutsLayer } from "../../programs/serve/serving.ts"
import { addBlob, addImage, blobPath, digestOf, makeLayout, tagAll } from "../../support/layouts.ts"
import { type Family, held } from "./family.ts"

// In memory where that can be: each write waits for the disk.
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "mutations-layouts-"))
let count = 0

interface Made {
  readonly dir: string
  /** The image that the change is about, and another. */
  readonly image: string
  readonly kept: string
  readonly layer: string
}

const layer = "some layer"

const make = (): Made => {
  const dir = makeLayout(join(root, `layout-${count++}`))
  const [image, kept] = [addImage(dir, [layer], { annotations: { a: "b" } }), addImage(dir, ["kept layer"])]
  tagAll(dir, { v1: image, kept })
  return { dir, image: image.digest, kept: kept.digest, layer: digestOf(layer) }
}

/** Reads tags and images as programs do; what is read has the digest that was asked for. */
const readAll = (repository: Repository) =>
  Effect.gen(function*() {
    const found: Array<string> = []
    const pages = yield* Stream.runCollect(repository.tags())
    // A layout may name its images in other ways than by tags.
    for (const name of pages.flatMap(({ names }) => names).filter(isTag).slice(0, 20)) {
      const manifest = yield* repository.manifest(Reference.ByTag({ tag: Tag.make(name) }))
      if (digest(manifest.bytes, manifest.descriptor.digest) !== manifest.descriptor.digest)
        found.push("a manifest of other bytes")
      if (manifest._tag !== "Image") continue
      for (const blob of [manifest.config, ...manifest.layers]) {
        const bytes = yield* collect(repository.blob(blob), 1024 * 1024)
        if (digest(bytes, blob.digest) !== blob.digest) found.push(`${blob.digest} of other bytes (L07)`)
      }
    }
    return found
  })

const digest = (bytes: Uint8Array, like: string): string => {
  const [algorithm = ""] = like.split(":")
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`
}

const config = "{\"architecture\":\"amd64\",\"os\":\"linux\"}"
const pushed = Result.getOrThrow(decodeManifest(
  Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
    layers: []
  })),
  { name: "pushed" }
))

const write = (repository: Repository) =>
  Effect.gen(function*() {
    if (pushed._tag === "Image") yield* repository.putBlob(fromBytes(Buffer.from(config)), pushed.config)
    yield* repository.putManifest(pushed, { tag: Tag.make("v2") })
    return held
  })

const contents = (dir: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true }).filter((it) => it.isFile()).map((it) => {
      const path = join(it.parentPath, it.name)
      return [path.slice(dir.length), readFileSync(path, "latin1")]
    })
  )

/** What a write must not have done, by the files before and after. */
const spoiled = (
  { dir, kept }: Made,
  before: ReadonlyMap<string, string>,
  isRefused: boolean
): ReadonlyArray<string> => {
  const after = contents(dir)
  const changed = ["/index.json", "/oci-layout"].filter((it) => after.get(it) !== before.get(it))
  const keptPath = blobPath(dir, kept).slice(dir.length)
  const wasNamed = (before.get("/index.json") ?? "").includes(kept)
  return [
    ...(isRefused ? changed.map((it) => `refused, and ${it} is another (L06)`) : []),
    ...(!isRefused && before.get("/oci-layout") !== after.get("/oci-layout")
      ? ["oci-layout is written again (D4)"]
      : []),
    ...(wasNamed && after.get(keptPath) !== before.get(keptPath) ? ["the image beside is another (D5)"] : []),
    ...(!isRefused && !(after.get("/index.json") ?? "").includes(pushed.descriptor.digest) ? ["it has no entry"] : [])
  ]
}

const provided = Layer.suspend(() => Layer.fresh(layoutsLayer))

const at = <A, E>({ dir }: Made, use: (repository: Repository) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const { open } = yield* Repositories
    return yield* Effect.flatMap(open(Location.OciLayout({ path: dir })), use)
  }).pipe(Effect.scoped, Effect.provide(provided))

const family = (
  name: string,
  form: Family["form"],
  seeds: Family["seeds"],
  change: (made: Made, input: Buffer) => void
): Family => ({
  name: `layout: ${name}`,
  form,
  weight: 2,
  seeds,
  take: (input) =>
    Effect.suspend(() => {
      const made = make()
      change(made, input)
      const before = contents(made.dir)
      return Effect.gen(function*() {
        const read = yield* Effect.exit(at(made, readAll))
        const unread = spoiled(made, before, true).map((it) => `read: ${it}`)
        const written = yield* Effect.exit(at(made, write))
        const found = [...unread, ...spoiled(made, before, Exit.isFailure(written))]
        if (found.length > 0) return found
        yield* written
        return yield* read
      }).pipe(Effect.ensuring(Effect.sync(() => rmSync(made.dir, { recursive: true, force: true }))))
    }),
  stop: async () => rmSync(root, { recursive: true, force: true })
})

const sample = make()
const read = (file: string): Buffer => readFileSync(join(sample.dir, file))
const manifestBytes = readFileSync(blobPath(sample.dir, sample.image))

export const layoutPlaces: ReadonlyArray<Family> = [
  family("index.json", "json", [read("index.json")], ({ dir }, input) => writeFileSync(join(dir, "index.json"), input)),
  family("oci-layout", "json", [read("oci-layout")], ({ dir }, input) => writeFileSync(join(dir, "oci-layout"), input)),
  family(
    "a damaged manifest",
    "json",
    [manifestBytes],
    ({ dir, image }, input) => writeFileSync(blobPath(dir, image), input)
  ),
  family("a damaged layer", "bytes", [layer], (made, input) => writeFileSync(blobPath(made.dir, made.layer), input)),
  family(
    "a manifest",
    "json",
    [manifestBytes],
    ({ dir }, input) => tagAll(dir, { v3: addBlob(dir, input, "application/vnd.oci.image.manifest.v1+json") })
  )
]
