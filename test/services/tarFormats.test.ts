/** Tar archives as others write them, sound and damaged, read by `readTar`. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { bytesOf as bytesOfText } from "../../src/lib/gotemplate/value.ts"
import { changeHeader } from "../../src/lib/tar/header.ts"
import type { NewEntry } from "../../src/lib/tar/pack.ts"
import type { StoreError } from "../../src/schemas/StoreError.ts"
import { type Bytes, collect, fromBytes, fromPump, pumpOf } from "../../src/services/Bytes.ts"
import { readTar, send, tarBytes, type TarEntry } from "../../src/services/tar.ts"
import { temporary } from "../support/registries.ts"
import { archiveOf, paxEntry, plant, rawEntry, type Tree } from "../support/tars.ts"

const { path: dir, remove } = temporary("tars")
afterAll(remove)

/** The bytes in views of this size. */
const inPieces = (bytes: Uint8Array, size: number): Bytes =>
  fromPump((sink) =>
    Effect.forEach(
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
      (view) => send(sink, view),
      { discard: true }
    )
  )

const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex")

/** Every entry, what `look` makes of it. */
const entriesOf = <A>(
  bytes: Uint8Array,
  look: (entry: TarEntry, content: Uint8Array) => A,
  pieces = 65_536
): Effect.Effect<ReadonlyArray<A>, StoreError> =>
  Effect.gen(function*() {
    const found: Array<A> = []
    yield* readTar(
      inPieces(bytes, pieces),
      (entry) => Effect.map(collect(entry.content, 1024 ** 3), (content) => void found.push(look(entry, content)))
    )
    return found
  })

const tagOf = (exit: Exit.Exit<unknown, StoreError>): string =>
  Exit.isFailure(exit) && exit.cause.reasons[0]?._tag === "Fail" ? exit.cause.reasons[0].error.reason._tag : "none"

/** Names of every length and kind, contents of every size: the same in each run. */
const forest = (): Tree => {
  let state = 11
  const below = (end: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * end)
  }
  const letters = [..."abcdefgh-_. üé日本"]
  const word = (length: number) => Array.from({ length }, () => letters[below(letters.length)]).join("")
  return Object.fromEntries(Array.from({ length: 60 }, (_, at) => {
    const folders = Array.from({ length: below(4) }, () => `d${word(below(60))}`)
    return [[...folders, `${at}${word(below(70))}`].join("/"), Buffer.alloc(below(3) * below(2_000), `${at} `)]
  }))
}

describe("a tree packed by GNU tar", () => {
  const tree = forest()
  plant(join(dir, "forest"), tree)
  const expected = Object.entries(tree).map(([name, content]) => [`./${name}`, content.toString()]).toSorted()

  it.effect.each(["gnu", "oldgnu", "pax"])(
    "is read whole in its %s format, however the bytes come",
    (format) =>
      Effect.gen(function*() {
        const bytes = execFileSync("tar", ["-C", join(dir, "forest"), `--format=${format}`, "-c", "."])
        for (const pieces of [100, 512, 65_536]) {
          const found = yield* entriesOf(
            bytes,
            ({ header }, content) => [header.type, header.name, Buffer.from(content).toString()] as const,
            pieces
          )
          const files = found.flatMap(([type, name, content]) => type === "0" ? [[name, content]] : [])
          assert.deepStrictEqual(files.toSorted(), expected)
        }
      })
  )
})

describe("a sparse file packed by GNU tar", () => {
  const folder = plant(join(dir, "sparse"), {})
  const file = openSync(join(folder, "many"), "w")
  for (let at = 0; at < 40; at++) writeSync(file, `chunk ${at}`, at * 50_000)
  ftruncateSync(file, 2_500_000)
  ftruncateSync(openSync(join(folder, "none"), "w"), 100_000)
  writeFileSync(join(folder, "zlast"), "text")
  const whole = ["many", "none", "zlast"].map((name) => [`./${name}`, sha256(readFileSync(join(folder, name)))])

  const forms: ReadonlyArray<readonly [form: string, ...options: ReadonlyArray<string>]> = [
    ["old", "--format=gnu"],
    ["0.0", "--format=pax", "--sparse-version=0.0"],
    ["0.1", "--format=pax", "--sparse-version=0.1"],
    ["1.0", "--format=pax", "--sparse-version=1.0"]
  ]
  it.effect.each(forms)(
    "unpacks from the %s form, and is passed on as it is",
    ([, ...options]) =>
      Effect.gen(function*() {
        const bytes = execFileSync("tar", [
          "-C",
          folder,
          "-S",
          "--sort=name",
          ...options,
          "-c",
          "many",
          "none",
          "zlast"
        ])
        assert.isBelow(bytes.length, 400_000)
        const found = yield* entriesOf(bytes, ({ header, size }, content) => {
          assert.strictEqual(content.length, size)
          return [`./${header.name}`, sha256(content)]
        })
        assert.deepStrictEqual(found, whole)
        const changed = yield* collect(
          tarBytes((out) =>
            readTar(fromBytes(bytes), (entry) =>
              out.pass(changeHeader(entry, { mtime: 5_000_000_000n }), entry.header.size, entry.body))
          ),
          1024 ** 2
        )
        assert.deepStrictEqual(
          yield* entriesOf(changed, ({ header }, content) => [`./${header.name}`, sha256(content)]),
          whole
        )
        assert.deepStrictEqual(
          yield* entriesOf(changed, ({ header }) =>
            header.mtime),
          [5_000_000_000n, 5_000_000_000n, 5_000_000_000n]
        )
      })
  )

  const holes = (map: string, size: string) =>
    archiveOf(
      paxEntry([["GNU.sparse.size", size], ["GNU.sparse.numblocks", "1"], ["GNU.sparse.map", map]]),
      rawEntry({ name: "f", body: "1234" })
    )
  const odd: ReadonlyArray<readonly [what: string, map: string, size: string]> = [
    ["that overlap", "0,4,2,4", "100"],
    ["beyond its end", "98,4", "100"],
    ["that are not stored", "0,8", "100"],
    ["of numbers that are none", "0,x", "100"],
    ["of half a pair", "0", "100"],
    ["of a size that is none", "0,4", "-1"]
  ]
  it.effect.each(odd)("with regions %s is refused", ([, map, size]) =>
    Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* Effect.exit(entriesOf(holes(map, size), () => 0))), "TarInvalid")
    }))

  it.effect("may name a size beyond every measure, but does not unpack to it", () =>
    Effect.gen(function*() {
      const bytes = holes("0,4", String(2 ** 52))
      const sizes: Array<number> = []
      yield* readTar(fromBytes(bytes), ({ size }) => Effect.sync(() => void sizes.push(size)))
      assert.deepStrictEqual(sizes, [2 ** 52])
      assert.strictEqual(tagOf(yield* Effect.exit(entriesOf(bytes, () => 0))), "DecompressLimit")
    }))
})

describe("a header", () => {
  const only = (bytes: Uint8Array) => Effect.map(entriesOf(bytes, ({ header }) => header), ([header]) => header)

  it.effect.each(["gnu", "pax"])(
    "by GNU tar in its %s format has large owners and times of any year",
    (format) =>
      Effect.gen(function*() {
        const folder = plant(join(dir, `times-${format}`), { a: "", b: "", c: "" })
        mkdirSync(folder, { recursive: true })
        utimesSync(join(folder, "a"), 0, new Date("1931-02-03T04:05:06Z"))
        utimesSync(join(folder, "b"), 0, new Date("2300-01-01T00:00:00Z"))
        utimesSync(join(folder, "c"), 0, new Date("1969-12-31T23:59:58.250Z"))
        linkSync(join(folder, "a"), join(folder, "d"))
        const options = ["--sort=name", "--owner=big:3000000", "--group=big:4294967294", `--format=${format}`]
        const bytes = execFileSync("tar", ["-C", folder, ...options, "-c", "a", "b", "c", "d"])
        const found = yield* entriesOf(bytes, ({ header: { gid, linkname, mtime, name, type, uid } }) => {
          assert.deepStrictEqual([uid, gid], [3_000_000, 4_294_967_294])
          return [name, type, linkname, new Date(Number(mtime / 1_000_000n)).toISOString()]
        })
        assert.deepStrictEqual(found, [
          ["a", "0", "", "1931-02-03T04:05:06.000Z"],
          ["b", "0", "", "2300-01-01T00:00:00.000Z"],
          ["c", "0", "", format === "pax" ? "1969-12-31T23:59:58.250Z" : "1969-12-31T23:59:58.000Z"],
          ["d", "1", "a", "1931-02-03T04:05:06.000Z"]
        ])
      })
  )

  it.effect("of a device has its numbers and no body", () =>
    Effect.gen(function*() {
      const bytes = archiveOf(
        rawEntry({ name: "dev", type: "3", size: 4_096, patch: [[329, "0000005\0"], [337, "0000404\0"]] }),
        rawEntry({ name: "next", body: "text" })
      )
      const found = yield* entriesOf(
        bytes,
        ({ header }) => [header.name, header.type, header.size, header.devmajor, header.devminor]
      )
      assert.deepStrictEqual(found, [["dev", "3", 0, 5, 260], ["next", "0", 4, 0, 0]])
    }))

  it.effect("of the oldest format is a directory when its name ends like one", () =>
    Effect.gen(function*() {
      const bytes = archiveOf(
        rawEntry({ name: "d/", type: "\0", magic: "none" }),
        rawEntry({ name: "d/f", type: "\0", magic: "none", body: "text" })
      )
      const found = yield* entriesOf(bytes, ({ header }) => [header.name, header.type, header.format])
      assert.deepStrictEqual(found, [["d/", "5", "v7"], ["d/f", "0", "v7"]])
    }))

  it.effect("keeps bytes that are no text, in its name and attributes", () =>
    Effect.gen(function*() {
      const name = Buffer.from([0x66, 0xe9, 0x00].slice(0, 2))
      const value = Buffer.from([0, 255, 128, 10, 61, 120])
      const bytes = archiveOf(
        paxEntry([["SCHILY.xattr.user.bin", value], ["path", name]]),
        rawEntry({ name: "short" })
      )
      const header = yield* only(bytes)
      assert.deepStrictEqual(Buffer.from(bytesOfText(header?.name ?? "")), name)
      assert.deepStrictEqual(Buffer.from(bytesOfText(header?.pax.get("SCHILY.xattr.user.bin") ?? "")), value)
      const changed = yield* collect(
        tarBytes((out) => readTar(fromBytes(bytes), (entry) => out.pass(changeHeader(entry, { mtime: 1n }), 0))),
        65_536
      )
      const again = yield* only(changed)
      assert.strictEqual(again?.mtime, 1n)
      assert.deepStrictEqual(Buffer.from(bytesOfText(again?.pax.get("SCHILY.xattr.user.bin") ?? "")), value)
    }))

  it.effect("takes what global records say, unless its own say otherwise or take it back", () =>
    Effect.gen(function*() {
      const bytes = archiveOf(
        paxEntry([["uname", "all"], ["comment", "c"]], "g"),
        rawEntry({ name: "a" }),
        paxEntry([["uname", "own"]]),
        rawEntry({ name: "b" }),
        paxEntry([["uname", ""]]),
        rawEntry({ name: "c" }),
        rawEntry({ name: "d" })
      )
      const found = yield* entriesOf(bytes, ({ header }) => `${header.name} ${header.uname}`)
      assert.deepStrictEqual(found, ["a all", "b own", "c ", "d all"])
    }))

  it.effect("is refused when every entry would be read with many global records", () =>
    Effect.gen(function*() {
      const bytes = archiveOf(paxEntry([["comment", "c".repeat(20_000)]], "g"), rawEntry({ name: "a" }))
      assert.strictEqual(tagOf(yield* Effect.exit(entriesOf(bytes, () => 0))), "TarInvalid")
    }))

  it.effect("that is made says the same when it is read", () =>
    Effect.gen(function*() {
      const made: ReadonlyArray<NewEntry> = [
        { name: "x".repeat(255), type: "file", size: 0, mode: 0, mtime: 0 },
        {
          name: `${"d/".repeat(120)}日本`,
          type: "file",
          size: 0,
          mode: 0o6755,
          mtime: -5,
          uid: 262_144,
          gid: 4_294_967_294
        },
        {
          name: "l",
          type: "symlink",
          size: 0,
          mode: 0o777,
          mtime: 2 ** 33,
          linkname: "ü".repeat(100),
          uname: "u".repeat(40)
        },
        { name: "dir", type: "directory", size: 0, mode: 0o1777, mtime: 1, uid: 2_097_151, gname: "g".repeat(40) }
      ]
      const bytes = yield* collect(
        tarBytes((out) => Effect.forEach(made, (it) => out.add(it), { discard: true })),
        65_536
      )
      const types: Readonly<Record<string, NewEntry["type"]>> = { "0": "file", "2": "symlink", "5": "directory" }
      const found = yield* entriesOf(bytes, ({ header }) => {
        const { gid, gname, linkname, mode, mtime, name, size, type, uid, uname } = header
        return {
          name: name.replace(/\/$/, ""),
          type: types[type],
          size,
          mode,
          mtime: Number(mtime / 1_000_000_000n),
          uid,
          gid,
          uname,
          gname,
          linkname
        }
      })
      assert.deepStrictEqual(found, made.map((it) => ({ uid: 0, gid: 0, uname: "", gname: "", linkname: "", ...it })))
      // GNU tar agrees.
      const listed = execFileSync("tar", ["-tf", "-"], { input: bytes }).toString()
      assert.include(listed, `${"x".repeat(255)}\n`)
    }))
})

describe("a damaged archive", () => {
  const sound = archiveOf(
    paxEntry([["path", "a/long/name"], ["mtime", "1.5"]]),
    rawEntry({ name: "short", body: "text" }),
    rawEntry({ name: "second", body: "x".repeat(600) })
  )
  const bad: ReadonlyArray<readonly [what: string, bytes: Uint8Array]> = [
    ["a size below zero", archiveOf(rawEntry({ name: "f", patch: [[124, Buffer.alloc(12, 0xff)]] }))],
    [
      "a size beyond all",
      archiveOf(rawEntry({ name: "f", patch: [[124, Buffer.from("8000000fffffffffffffffff", "hex")]] }))
    ],
    ["a size beyond its end", archiveOf(rawEntry({ name: "f", size: 5_000 }))],
    ["a number that is none", archiveOf(rawEntry({ name: "f", patch: [[108, "00x0000\0"]] }))],
    ["a time that is none", archiveOf(paxEntry([["mtime", "soon"]]), rawEntry({ name: "f" }))],
    ["a pax size that is none", archiveOf(paxEntry([["size", "-1"]]), rawEntry({ name: "f" }))],
    [
      "a pax record longer than its header",
      archiveOf(rawEntry({ name: "x", type: "x", body: "99 path=a\n" }), rawEntry({ name: "f" }))
    ],
    [
      "a pax record without an end",
      archiveOf(rawEntry({ name: "x", type: "x", body: "9 path=ab" }), rawEntry({ name: "f" }))
    ],
    ["an extension of a gigabyte", archiveOf(rawEntry({ name: "x", type: "L", size: 2 ** 30 }))],
    ["a wrong checksum", Buffer.concat([sound.subarray(0, 100), Buffer.from("x"), sound.subarray(101)])],
    ["a text for a header", archiveOf(Buffer.alloc(512, "no header "))]
  ]
  it.effect.each(bad)("with %s is refused", ([, bytes]) =>
    Effect.gen(function*() {
      assert.strictEqual(tagOf(yield* Effect.exit(entriesOf(bytes, () => 0))), "TarInvalid")
    }))

  it.effect("that is cut anywhere before its end is refused, or ends between two entries", () =>
    Effect.gen(function*() {
      const between = new Set([0, 1024, 2048, 3584])
      for (let length = 0; length < 3584; length += 64) {
        const exit = yield* Effect.exit(entriesOf(sound.subarray(0, length), () => 0))
        assert.strictEqual(tagOf(exit), between.has(length) && length !== 1024 ? "none" : "TarInvalid", `at ${length}`)
      }
    }))

  it.effect.prop(
    "is never worse than refused, whichever byte is changed",
    [
      Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 3583 }))),
      Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
    ],
    ([at, byte]) =>
      Effect.gen(function*() {
        const bytes = Buffer.from(sound)
        bytes[at] = byte
        assert.include(["none", "TarInvalid"], tagOf(yield* Effect.exit(entriesOf(bytes, () => 0))))
      })
  )

  it.effect("is read to its last byte, whatever comes after the end of the archive", () =>
    Effect.gen(function*() {
      let size = 0
      const bytes = Buffer.concat([sound, Buffer.alloc(100_000, "rest")])
      const counted = fromPump((sink) =>
        pumpOf(inPieces(bytes, 1_000))((view, release) => {
          size += view.length
          sink(view, release)
        })
      )
      yield* readTar(counted, () => Effect.void)
      assert.strictEqual(size, bytes.length)
    }))
})
