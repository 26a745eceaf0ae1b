/** Compression by the magic bytes of its format, as pairs of Node streams: bytes in at one end, out at the other. */
import { type Duplex, Readable, Transform, type Writable } from "node:stream"
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
  /** How many of so many bytes were not looked at when the output ended, for a format that tells it no other way. */
  readonly unread?: (taken: number) => number
}

const chunkSize = 256 * 1024

/** What is written is the writer's again at once, while it may wait here to be read. */
const copying = () => new Transform({ transform: (view: Uint8Array, _encoding, done) => done(null, Buffer.from(view)) })

const both = (stream: Duplex): Filter => ({ input: stream, output: stream })

/** Takes a format off again. */
export const decompressor = (kind: Exclude<Compression, "none">): Filter => {
  switch (kind) {
    case "gzip":
      return both(createGunzip({ chunkSize }))
    case "zstd":
      // A header may ask for a window of 2 GiB; what images use stays below 128 MiB.
      return zstd(createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: 27 } }))
    case "bzip2":
      return bzip2()
    case "xz":
      return xz()
  }
}

/** Puts a format on; the same bytes give the same bytes. */
export const compressor = (kind: "gzip" | "zstd"): Filter =>
  both(kind === "gzip" ? createGzip({ chunkSize }) : createZstdCompress({ chunkSize }))

/** Bytes behind the last frame are passed over by Node in silence. */
const zstd = (stream: ReturnType<typeof createZstdDecompress>): Filter => ({
  ...both(stream),
  unread: (taken) => taken - stream.bytesWritten
})

/** What the package's numbers mean. */
const xzProblems: Readonly<Record<string, string>> = {
  "3": "out of memory",
  "4": "its dictionary is too large",
  "5": "bytes that are no xz",
  "6": "a check or filter that is not supported",
  "7": "damaged data",
  "8": "unexpected end of file"
}

const xzProblem = (error: unknown): unknown => {
  const code = error instanceof Error ? /error code (\d+)/.exec(error.message)?.[1] : undefined
  const problem = code === undefined ? undefined : xzProblems[code]
  return problem === undefined ? error : new Error(problem, { cause: error })
}

const xz = (): Filter => {
  const input = copying()
  const plain = async function*() {
    const { XzReadableStream } = (await import("xz-decompress")).default
    try {
      // The package's stream is the standard's, under the name of another type library.
      yield* new XzReadableStream(Readable.toWeb(input) as never) as unknown as AsyncIterable<Uint8Array>
    } catch (error) {
      throw xzProblem(error)
    }
  }
  return { input, output: Readable.from(plain(), { objectMode: false }) }
}

const bzip2 = (): Filter => {
  const input = copying()
  const plain = async function*() {
    const { bunzip2 } = await import("./bzip2.ts")
    yield* bunzip2(input)
  }
  return { input, output: Readable.from(plain(), { objectMode: false }) }
}
