/** Tar files and compressed streams: read entry by entry, unpacked, imported. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Exit, Layer, Result } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { findFile } from "../../../src/programs/files/search.ts"
import { importImage } from "../../../src/programs/image/import.ts"
import { defaultHost } from "../../../src/schemas/Host.ts"
import { contentOf } from "../../../src/schemas/Manifest.ts"
import { parseRef, Reference, referenceOf } from "../../../src/schemas/Ref.ts"
import { Archive } from "../../../src/services/Archive.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { decompressed } from "../../../src/services/compressed.ts"
import { Hosts } from "../../../src/services/Hosts.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { type MemoryStore, memoryStore } from "../../../src/services/repository/memory.ts"
import { readTar } from "../../../src/services/tar.ts"
import { unpackInto } from "../../../src/services/unpack.ts"
import { savedParts, smallImage, tarOf as image } from "../../support/archives.ts"
import { rawEntry } from "../../support/tars.ts"
import { type Family, held } from "./family.ts"

const limit = 64 * 1024 * 1024

const record = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`
  const length = rest.length + String(rest.length + 2).length
  return `${length}${rest}`
}

const end = Buffer.alloc(1024)

const layers: ReadonlyArray<Buffer> = [
  Buffer.concat([
    rawEntry({ name: "etc/", type: "5" }),
    rawEntry({ name: "etc/hosts", body: "127.0.0.1 localhost\n" }),
    rawEntry({ name: "etc/link", type: "2", linkname: "hosts" }),
    rawEntry({ name: "etc/hard", type: "1", linkname: "etc/hosts" }),
    rawEntry({ name: "etc/.wh.old" }),
    rawEntry({ name: "dev/null", type: "3" }),
    rawEntry({ name: "large", body: "x".repeat(3_000) }),
    end
  ]),
  Buffer.concat([
    rawEntry({ name: "pax", type: "x", body: record("path", "long/".repeat(30) + "name") + record("mtime", "1.5") }),
    rawEntry({ name: "short", body: "pax" }),
    rawEntry({ name: "global", type: "g", body: record("comment", "all") }),
    rawEntry({ name: "././@LongLink", type: "L", magic: "gnu", body: "gnu/".repeat(40) + "name\0" }),
    rawEntry({ name: "gnu", body: "gnu", magic: "gnu" }),
    rawEntry({
      name: "pax",
      type: "x",
      body: record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.realsize", "2048")
    }),
    rawEntry({ name: "sparse", body: "1\n0\n512\n".padEnd(512, "\0") + "y".repeat(512) }),
    end
  ])
]

const root = mkdtempSync(join(tmpdir(), "mutations-"))
const stop = async (): Promise<void> => rmSync(root, { recursive: true, force: true })
let count = 0

const scanned: Family = {
  name: "tar",
  form: "tar",
  weight: 8,
  seeds: [...layers, image(smallImage().parts)],
  take: (input) =>
    Effect.gen(function*() {
      const found: Array<string> = []
      let bytes = 0
      yield* readTar(decompressed(fromBytes(new Uint8Array(input))), ({ body, header, offset }) => {
        if (!Number.isSafeInteger(header.size) || header.size < 0) found.push(`an entry of ${header.size} bytes`)
        if (offset % 512 !== 0) found.push("an entry between two blocks")
        return Effect.map(collect(body, limit), ({ length }) => {
          bytes += length
          if (length !== header.size) found.push(`a body of ${length} bytes in place of ${header.size}`)
        })
      })
      return bytes > input.length ? [...found, "more bytes than there are"] : found
    })
}

/** Whatever the names are, nothing comes to be beside the directory. */
const unpacked: Family = {
  name: "tar, unpacked",
  form: "tar",
  weight: 3,
  patience: 3_000,
  seeds: [...layers, ...layers.map((it) => gzipSync(it))],
  take: (input) =>
    Effect.suspend(() => {
      const dir = join(root, `in-${count++}`)
      const inner = join(dir, "a/b/inner")
      mkdirSync(inner, { recursive: true })
      return unpackInto(inner, fromBytes(new Uint8Array(input))).pipe(
        Effect.provide(NodeServices.layer),
        Effect.exit,
        Effect.flatMap((exit): Effect.Effect<ReadonlyArray<string>, unknown> => {
          const beside = [dir, join(dir, "a"), join(dir, "a/b")].map((it) => readdirSync(it).join())
          const isInside = beside.join("/") === "a/b/inner" && !existsSync("/tmp/escaped")
          const hasLink = readdirSync(inner, { recursive: true, withFileTypes: true }).some((it) => it.isSymbolicLink())
          rmSync(dir, { recursive: true, force: true })
          if (!isInside) return Effect.succeed([`something came to be outside: ${beside.join("/")}`])
          if (hasLink) return Effect.succeed(["a link came to be"])
          return Effect.as(exit, held)
        })
      )
    })
}

/** No registry is asked. */
const limiter = RateLimiter.layer.pipe(
  Layer.provide(Layer.succeed(
    Hosts,
    Hosts.of({
      get: (name) => Effect.succeed(defaultHost(name)),
      readOrder: (name) => Effect.succeed([defaultHost(name)])
    })
  ))
)

/** The tar is read, and what is written stays in memory. */
const places = (store: MemoryStore) =>
  Layer.effect(
    Repositories,
    Effect.map(Archive, ({ open }) =>
      Repositories.of({
        open: (location) => location._tag === "Archive" ? open(location) : Effect.sync(() => store.open(location))
      }))
  )

const target = Result.getOrThrow(parseRef("registry.example.com/app:v1"))

/** All of the image is there, or the tag is not. */
const imported: Family = {
  name: "tar, imported",
  form: "tar",
  weight: 4,
  patience: 3_000,
  seeds: [
    image(smallImage().parts),
    image(savedParts(smallImage(), ["example.org/app:v1"])),
    gzipSync(image(smallImage("other").parts)),
    zstdCompressSync(image(savedParts(smallImage("third"))))
  ],
  take: (input) =>
    Effect.suspend(() => {
      const file = join(root, "image.tar")
      writeFileSync(file, input)
      const store = memoryStore()
      const repository = store.open(target.location)
      return importImage(target, file, { digestTags: false, name: "", referrers: false }).pipe(
        Effect.exit,
        Effect.flatMap((exit) =>
          Effect.gen(function*() {
            const found = yield* Effect.option(repository.manifest(referenceOf(target)))
            if (Exit.isFailure(exit))
              return found._tag === "None"
                ? yield* Effect.as(exit, held)
                : ["refused, and tagged"]
            if (found._tag === "None") return ["accepted, and not tagged"]
            const lacking = yield* Effect.filter(contentOf(found.value), (it) =>
              found.value._tag === "Index"
                ? Effect.map(
                  Effect.isFailure(repository.manifest(Reference.ByDigest({ digest: it.digest }))),
                  (no) => no
                )
                : Effect.isFailure(collect(repository.blob(it), limit)))
            return lacking.map(({ digest }) => `tagged without ${digest}`)
          })
        ),
        Effect.provide(Layer.mergeAll(places(store), limiter, Progress.layerSilent)),
        Effect.provide(Layer.fresh(Archive.layer)),
        Effect.provide(NodeServices.layer)
      )
    }),
  stop
}

/** Compressed once it is changed, so that what is changed is what is read. */
const compressed: Family = {
  ...imported,
  name: "tar, compressed, imported",
  seeds: [image(smallImage().parts), image(savedParts(smallImage(), ["example.org/app:v1"]))],
  take: (input) => imported.take(input.length % 2 === 0 ? gzipSync(input) : zstdCompressSync(input))
}

/** A file out of a layer: what is found is what an entry holds. */
const searched: Family = {
  name: "layer, a file of it",
  form: "tar",
  weight: 3,
  seeds: [...layers, ...layers.map((it) => gzipSync(it)), ...layers.map((it) => zstdCompressSync(it))],
  take: (input) =>
    findFile(
      fromBytes(new Uint8Array(input)),
      "/etc/../etc/./hosts",
      ({ content, size }) =>
        Effect.map(collect(content, limit), ({ length }) => length === size ? held : [`${length} bytes of ${size}`])
    ).pipe(Effect.map((found) => found?.value ?? held))
}

const plain = Buffer.from(Array.from({ length: 400 }, (_, at) => `line ${at * at % 97}\n`).join(""))

/** What the usual programs write; none where they are not installed. */
const packed = (program: string): ReadonlyArray<Uint8Array> => {
  try {
    return [execFileSync(program, ["-c"], { input: plain, stdio: "pipe" })]
  } catch {
    return []
  }
}

const streams = (name: string, seeds: ReadonlyArray<Uint8Array>): ReadonlyArray<Family> =>
  seeds.length === 0 ? [] : [{
    name,
    form: "bytes",
    weight: 3,
    seeds,
    take: (input) => Effect.as(collect(decompressed(fromBytes(new Uint8Array(input))), 1024 ** 3), held)
  }]

export const archives: ReadonlyArray<Family> = [
  scanned,
  unpacked,
  imported,
  compressed,
  searched,
  ...streams("gzip", [gzipSync(plain), Buffer.concat([gzipSync(plain), gzipSync("second")])]),
  ...streams("zstd", [zstdCompressSync(plain)]),
  ...streams("bzip2", packed("bzip2")),
  ...streams("xz", packed("xz"))
]
