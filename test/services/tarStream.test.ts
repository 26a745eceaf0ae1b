/** Tars that the package `tar-stream`, which many tools are built on, writes and reads: an independent judge. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { extract, type Header, pack } from "tar-stream"
import type { NewEntry } from "../../src/lib/tar/pack.ts"
import { collect, fromBytes } from "../../src/services/Bytes.ts"
import { readTar, tarBytes } from "../../src/services/tar.ts"

const limit = 1024 ** 2
const long = `${"folder-of-a-long-name/".repeat(9)}file`

const cases: ReadonlyArray<readonly [what: string, entry: NewEntry]> = [
  ["a file", { name: "a.txt", type: "file", size: 5, mode: 0o644, mtime: 1_600_000_000, uid: 1, gid: 2, uname: "u" }],
  ["a file without rights", { name: "none", type: "file", size: 5, mode: 0, mtime: 0 }],
  ["a directory", { name: "dir/", type: "directory", size: 0, mode: 0o1777, mtime: 1 }],
  ["a link", { name: "link", type: "symlink", size: 0, mode: 0o777, mtime: 0, linkname: "a.txt" }],
  ["a long link", { name: "link", type: "symlink", size: 0, mode: 0o777, mtime: 0, linkname: long }],
  ["a hard link", { name: "hard", type: "link", size: 0, mode: 0o600, mtime: 0, linkname: "a.txt" }],
  ["a long name", { name: long, type: "file", size: 5, mode: 0o600, mtime: 0 }],
  ["a name of other letters", { name: "größe/文件", type: "file", size: 5, mode: 0o600, mtime: 0 }],
  ["a setuid file of a large owner", {
    name: "su",
    type: "file",
    size: 5,
    mode: 0o4755,
    mtime: 0,
    uid: 99,
    gid: 2_000_000
  }]
]

const content = Buffer.from("12345")
const types = { file: "file", directory: "directory", symlink: "symlink", link: "link" } as const

/** What tar-stream finds in an archive. */
const extracted = (bytes: Uint8Array) =>
  Effect.promise(() =>
    new Promise<ReadonlyArray<readonly [Header, string]>>((resolve, reject) => {
      const found: Array<readonly [Header, string]> = []
      const reader = extract()
      reader.on("entry", (header, stream, next) => {
        const parts: Array<Buffer> = []
        stream.on("data", (part: unknown) => {
          if (Buffer.isBuffer(part)) parts.push(part)
        })
        stream.on("end", () => {
          found.push([header, Buffer.concat(parts).toString()])
          next()
        })
      })
      reader.on("finish", () => resolve(found))
      reader.on("error", reject)
      reader.end(Buffer.from(bytes))
    })
  )

describe("a tar that is made here", () => {
  for (const [what, entry] of cases) {
    it.effect(`tells tar-stream of ${what}`, () =>
      Effect.gen(function*() {
        const body = entry.size === 0 ? undefined : fromBytes(content)
        const [first, ...more] = yield* extracted(yield* collect(tarBytes((out) => out.add(entry, body)), limit))
        const [header, text] = first ?? []
        assert.deepStrictEqual(more, [])
        assert.strictEqual(text, entry.size === 0 ? "" : "12345")
        assert.strictEqual(header?.name.replace(/\/$/, ""), entry.name.replace(/\/$/, ""))
        assert.strictEqual(header?.type, types[entry.type])
        assert.strictEqual(header?.mode, entry.mode)
        assert.strictEqual(header?.mtime?.getTime(), entry.mtime * 1000)
        assert.strictEqual(header?.linkname ?? "", entry.linkname ?? "")
        assert.deepStrictEqual([header?.uid, header?.gid], [entry.uid ?? 0, entry.gid ?? 0])
      }))
  }
})

describe("a tar that tar-stream makes", () => {
  for (const [what, { linkname, mode, mtime, name, size, type }] of cases) {
    // The package takes rights of 0 for none given.
    if (mode === 0) continue
    it.effect(`is read with ${what}`, () =>
      Effect.gen(function*() {
        const archive = pack()
        const header = {
          name,
          type,
          mode,
          mtime: new Date(mtime * 1000),
          ...(linkname === undefined ? {} : { linkname })
        }
        if (size === 0) archive.entry(header)
        else archive.entry(header, content)
        archive.finalize()
        const parts: Array<Uint8Array> = []
        yield* Effect.promise(async () => {
          for await (const part of archive) if (part instanceof Uint8Array) parts.push(part)
        })
        const found: Array<unknown> = []
        yield* readTar(fromBytes(Buffer.concat(parts)), (entry) =>
          Effect.map(collect(entry.body, limit), (bytes) => {
            const { header } = entry
            found.push([header.name.replace(/\/$/, ""), header.mode, header.mtime, header.linkname, bytes.length])
          }))
        assert.deepStrictEqual(found, [
          [name.replace(/\/$/, ""), mode, BigInt(mtime) * 1_000_000_000n, linkname ?? "", size]
        ])
      }))
  }
})
