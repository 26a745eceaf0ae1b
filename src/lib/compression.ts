/** Compression by the magic bytes of its format, as pairs of Node streams: bytes in at one end, out at the other. */
import { type Duplex, PassThrough, Readable, Transform, type Writable } from "node:stream"
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib"

export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd"

const magics: ReadonlyArray<readonly [Compression, ReadonlyArray<number>]> = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]]
]

/** How many bytes tell every format. */
export const magicSize = 6

/** The format that bytes begin with; `none` for anything unknown. A skippable frame begins a zstd file, too. */
export const compressionOf = (head: Uint8Array): Compression => {
  const isSkippable = ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18
  if (isSkippable) return "zstd"
  return magics.find(([, magic]) => magic.every((byte, at) => head[at] === byte))?.[0] ?? "none"
}

export interface Filter {
  readonly input: Writable
  readonly output: Readable
}

const chunkSize = 256 * 1024

const both = (stream: Duplex): Filter => ({ input: stream, output: stream })

/** Takes a format off again. `limit` bounds what a format that cannot be stopped on its way may give at once. */
export const decompressor = (kind: Exclude<Compression, "none">, limit: number): Filter => {
  switch (kind) {
    case "gzip":
      return both(createGunzip({ chunkSize }))
    case "zstd":
      // A header may ask for a window of 2 GiB; what images use stays below 128 MiB.
      return both(createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 27 } }))
    case "bzip2":
      return both(bzip2(limit))
    case "xz":
      return xz()
  }
}

/** Puts a format on; the same bytes give the same bytes. */
export const compressor = (kind: "gzip" | "zstd"): Filter =>
  both(kind === "gzip" ? createGzip({ chunkSize }) : createZstdCompress({ chunkSize }))

const xz = (): Filter => {
  const input = new PassThrough()
  const plain = async function*() {
    const { XzReadableStream } = (await import("xz-decompress")).default
    // The package's stream is the standard's, under the name of another type library.
    yield* new XzReadableStream(Readable.toWeb(input) as never) as unknown as AsyncIterable<Uint8Array>
  }
  return { input, output: Readable.from(plain(), { objectMode: false }) }
}

/** Compressed bytes the decoder gets at once, so that what comes out of them stays small. */
const portion = 64 * 1024

const bzip2 = (limit: number): Duplex => {
  let inner: NodeJS.ReadWriteStream
  let size = 0
  const outer: Transform = new Transform({
    construct: (ready) => {
      import("unbzip2-stream").then(({ default: unbzip2 }) => {
        inner = unbzip2()
        inner.on("data", (part: Uint8Array) => {
          size += part.length
          // Thrown into the decoder, which stops with it.
          if (size > limit) throw new Error("it grows beyond every measure")
          outer.push(part)
        })
        inner.on("error", (error: Error) => outer.destroy(error))
        ready()
      }, ready)
    },
    transform: (chunk: Uint8Array, _, done) => {
      for (let at = 0; at < chunk.length; at += portion) {
        size = 0
        inner.write(Buffer.from(chunk.subarray(at, at + portion)))
      }
      done()
    },
    flush: (done) => {
      inner.once("end", () => done())
      inner.end()
    }
  })
  return outer
}
