/**
 * Headers of tar archives: read as data, changed in place. What a change does not name stays byte for byte, down to
 * extended attributes that are no text (POSIX.1-2017, pax; GNU tar's extensions).
 */

import { bytesOf, textOf } from "../gotemplate/value.ts"

export interface TarHeader {
  /** As written, with no `..` taken out: who uses it as a path has to clean it. */
  readonly name: string
  readonly linkname: string
  /** Bytes of the body. */
  readonly size: number
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly uname: string
  readonly gname: string
  /** Nanoseconds since 1970; access and change times only where the archive has them. */
  readonly mtime: bigint
  readonly atime?: bigint
  readonly ctime?: bigint
  /** The type flag: `0` file, `1` hard link, `2` symlink, `3` character and `4` block device, `5` directory, `6` pipe. */
  readonly type: string
  readonly devmajor: number
  readonly devminor: number
  /** Extended records, global ones included. */
  readonly pax: ReadonlyMap<string, string>
  readonly format: "v7" | "ustar" | "pax" | "gnu"
}

/**
 * A header with all that belongs to it, as it stands in the archive: extension blocks first, then its own block, then
 * what continues the map of a sparse file.
 */
export interface RawHeader {
  readonly header: TarHeader
  readonly blocks: Uint8Array
  /** Records of the archive, from before these blocks. */
  readonly globals: Records
}

export class TarProblem extends Error {}

export const blockSize = 512

/** A size with the padding that follows it. */
export const padded = (size: number): number => Math.ceil(size / blockSize) * blockSize

const latin = (view: Uint8Array): string => Buffer.from(view.buffer, view.byteOffset, view.length).toString("latin1")

const textAt = (block: Uint8Array, from: number, length: number): string => {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return textOf(end < 0 ? field : field.subarray(0, end))
}

/** Octal digits between blanks, which is what nearly every field has; `undefined` for anything else. */
const octalAt = (block: Uint8Array, from: number, length: number): number | undefined => {
  let at = from
  const end = from + length
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++
  let value = 0
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  return at === end || block[at] === 0x20 || block[at] === 0 ? value : undefined
}

/** Octal digits, or a binary number in the GNU form. */
export const numberAt = (block: Uint8Array, from: number, length: number): bigint => {
  const octal = octalAt(block, from, length)
  if (octal !== undefined) return BigInt(octal)
  const first = block[from] ?? 0
  if ((first & 0x80) === 0) throw new TarProblem("a header has a number that is none")
  let value = BigInt(first & 0x40 ? (first | ~0x7f) : first & 0x3f)
  for (const byte of block.subarray(from + 1, from + length)) value = (value << 8n) | BigInt(byte)
  return value
}

const smallAt = (block: Uint8Array, from: number, length: number): number => {
  const octal = octalAt(block, from, length)
  if (octal !== undefined) return octal
  const value = numberAt(block, from, length)
  if (value < -9007199254740991n || value > 9007199254740991n)
    throw new TarProblem("a header has a number out of range")
  return Number(value)
}

const second = 1_000_000_000n

/** Decimal seconds with up to nine decimals, as pax writes times. */
const timeOf = (text: string): bigint => {
  const parts = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text)
  if (parts === null) throw new TarProblem("a header has a time that is none")
  const nanos = BigInt(parts[2] ?? 0) * second + BigInt((parts[3] ?? "").padEnd(9, "0").slice(0, 9))
  return parts[1] === "-" ? -nanos : nanos
}

const timeText = (time: bigint): string => {
  const size = time < 0n ? -time : time
  const decimals = (size % second).toString().padStart(9, "0").replace(/0+$/, "")
  return `${time < 0n ? "-" : ""}${size / second}${decimals === "" ? "" : `.${decimals}`}`
}

/** Whole seconds, towards the past. */
const secondsOf = (time: bigint): bigint => time >= 0n ? time / second : -((-time + second - 1n) / second)

const sumOf = (block: Uint8Array, signed: boolean): number => {
  let sum = 8 * 32
  for (let at = 0; at < blockSize; at++) {
    const byte = block[at] ?? 0
    if (at < 148 || at >= 156) sum += signed && byte > 127 ? byte - 256 : byte
  }
  return sum
}

export const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

const magicOf = (block: Uint8Array): "v7" | "ustar" | "gnu" => {
  const magic = latin(block.subarray(257, 265))
  return magic === "ustar  \0" ? "gnu" : magic.startsWith("ustar\0") ? "ustar" : "v7"
}

export const typeOf = (block: Uint8Array): string => {
  const flag = String.fromCharCode(block[156] ?? 0)
  return flag === "\0" || flag === "7" ? "0" : flag
}

/** Whether a header says something of the one that follows it: pax records, long names. */
export const isExtension = (type: string): boolean => type === "x" || type === "g" || type === "L" || type === "K"

/** Fails unless the block is a header. */
export const checkSum = (block: Uint8Array): void => {
  // Whatever stands there in other files is no number.
  const written = Number.parseInt(latin(block.subarray(148, 156)).replace(/^[\0 ]+/, ""), 8)
  if (written !== sumOf(block, false) && written !== sumOf(block, true)) {
    throw new TarProblem("a header has a wrong checksum")
  }
}

/** Bytes that follow a header of an extension. */
export const sizeOf = (block: Uint8Array): number => {
  const size = smallAt(block, 124, 12)
  if (size < 0) throw new TarProblem("a header has a negative size")
  return size
}

export type Records = ReadonlyArray<readonly [key: string, value: Uint8Array]>

/** Records of a pax header: `length key=value\n`. */
const readRecords = (body: Uint8Array): Records => {
  const records: Array<readonly [string, Uint8Array]> = []
  let at = 0
  while (at < body.length && body[at] !== 0) {
    const space = body.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(latin(body.subarray(at, space)))
    const record = Number.isInteger(length) && length > 0 ? body.subarray(space + 1, at + length - 1) : undefined
    const mark = record?.indexOf(0x3d) ?? -1
    if (record === undefined || mark < 1 || at + length > body.length || body[at + length - 1] !== 0x0a) {
      throw new TarProblem("an extended header is damaged")
    }
    records.push([textOf(record.subarray(0, mark)), record.subarray(mark + 1)])
    at += length
  }
  return records
}

export const writeRecords = (records: Records): Uint8Array =>
  Buffer.concat(records.map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")])
    let length = rest.length
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length
    return Buffer.concat([Buffer.from(String(length)), rest])
  }))

interface Extensions {
  /** Records of the archive, then of this entry alone. */
  readonly records: Records
  readonly longName?: string
  readonly longLink?: string
}

const decodeHeader = (block: Uint8Array, { longLink, longName, records }: Extensions): TarHeader => {
  const magic = magicOf(block)
  const pax = new Map<string, string>()
  // An empty value takes back what an earlier header said.
  for (const [key, value] of records) {
    if (value.length === 0) pax.delete(key)
    else pax.set(key, textOf(value))
  }
  const prefix = magic === "ustar" ? textAt(block, 345, 155) : ""
  const own = textAt(block, 0, 100)
  const integer = (key: string, from: number, length: number): number => {
    const text = pax.get(key)
    if (text === undefined) return smallAt(block, from, length)
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value)) throw new TarProblem("a header has a number out of range")
    return value
  }
  const size = integer("size", 124, 12)
  if (size < 0) throw new TarProblem("a header has a negative size")
  const time = (key: string, written: bigint | undefined): bigint | undefined => {
    const text = pax.get(key)
    return text === undefined ? written === undefined ? undefined : written * second : timeOf(text)
  }
  const gnuTime = (from: number) => {
    const value = magic === "gnu" ? numberAt(block, from, 12) : 0n
    return value === 0n ? undefined : value
  }
  const [atime, ctime] = [time("atime", gnuTime(345)), time("ctime", gnuTime(357))]
  const name = pax.get("GNU.sparse.name") ?? pax.get("path") ?? longName ?? (prefix === "" ? own : `${prefix}/${own}`)
  // The oldest archives know a directory by the end of its name.
  const type = block[156] === 0 && name.endsWith("/") ? "5" : typeOf(block)
  return {
    name,
    linkname: pax.get("linkpath") ?? longLink ?? textAt(block, 157, 100),
    // Only these have a body, whatever the header says.
    size: /^[12346]$/.test(type) || type === "5" ? 0 : size,
    mode: smallAt(block, 100, 8) & 0o7777,
    uid: integer("uid", 108, 8),
    gid: integer("gid", 116, 8),
    uname: pax.get("uname") ?? (magic === "v7" ? "" : textAt(block, 265, 32)),
    gname: pax.get("gname") ?? (magic === "v7" ? "" : textAt(block, 297, 32)),
    mtime: time("mtime", numberAt(block, 136, 12)) ?? 0n,
    ...(atime === undefined ? {} : { atime }),
    ...(ctime === undefined ? {} : { ctime }),
    type,
    devmajor: magic === "v7" ? 0 : smallAt(block, 329, 8),
    devminor: magic === "v7" ? 0 : smallAt(block, 337, 8),
    pax,
    format: pax.size > 0 ? "pax" : magic
  }
}

export interface HeaderChange {
  readonly mtime?: bigint
  /** Access and change times are changed only where the header has them. */
  readonly atime?: bigint
  readonly ctime?: bigint
  readonly uname?: ""
  readonly gname?: ""
  readonly size?: number
  readonly name?: string
  readonly linkname?: string
}

/** A number in octal digits and a NUL, or in GNU's binary form where it does not fit. */
export const putOctal = (block: Uint8Array, from: number, length: number, value: bigint): void => {
  const digits = value.toString(8)
  if (value >= 0n && digits.length < length) {
    block.set(Buffer.from(`${digits.padStart(length - 1, "0")}\0`), from)
    return
  }
  // The binary form of GNU, which every reader of today knows.
  let rest = BigInt.asUintN(8 * length, value)
  for (let at = length - 1; at >= 0; at--, rest >>= 8n) block[from + at] = Number(rest & 0xffn)
  block[from] = (block[from] ?? 0) | 0x80
}

/** Writes the checksum: the last thing to do with a header. */
export const seal = (block: Uint8Array): void => {
  const sum = sumOf(block, false).toString(8).padStart(6, "0")
  block.set(Buffer.from(`${sum}\0 `), 148)
}

interface Piece {
  readonly block: Uint8Array
  readonly body: Uint8Array
}

interface Pieces {
  readonly before: ReadonlyArray<Piece>
  readonly own: Uint8Array
  readonly after: Uint8Array
}

const piecesOf = (blocks: Uint8Array): Pieces => {
  const before: Array<Piece> = []
  for (let at = 0; at < blocks.length;) {
    const block = blocks.subarray(at, at + blockSize)
    if (!isExtension(typeOf(block))) return { before, own: block, after: blocks.subarray(at + blockSize) }
    const size = sizeOf(block)
    before.push({ block, body: blocks.subarray(at + blockSize, at + blockSize + size) })
    at += blockSize + padded(size)
  }
  throw new TarProblem("an extended header belongs to nothing")
}

const globalsIn = (pieces: ReadonlyArray<Piece>): Records =>
  pieces.flatMap(({ block, body }) => typeOf(block) === "g" ? readRecords(body) : [])

const nameIn = (body: Uint8Array): string => textAt(body, 0, body.length)

/** Reads the blocks of one entry again, changed or not. Fails unless every part is sound. */
export const readHeader = (blocks: Uint8Array, globals: Records): RawHeader => {
  const { before, own } = piecesOf(blocks)
  const last = (type: string) => before.findLast(({ block }) => typeOf(block) === type)?.body
  const records = before.flatMap(({ block, body }) => typeOf(block) === "x" ? readRecords(body) : [])
  const [longName, longLink] = [last("L"), last("K")]
  const header = decodeHeader(own, {
    records: [...globals, ...globalsIn(before), ...records],
    ...(longName === undefined ? {} : { longName: nameIn(longName) }),
    ...(longLink === undefined ? {} : { longLink: nameIn(longLink) })
  })
  return { header, blocks, globals }
}

/** Records of this entry alone. */
export const ownRecords = ({ blocks }: RawHeader): Records =>
  piecesOf(blocks).before.flatMap(({ block, body }) => typeOf(block) === "x" ? readRecords(body) : [])

/** Records that hold for all entries after this one. */
export const globalsAfter = ({ blocks, globals }: RawHeader): Records => {
  const added = globalsIn(piecesOf(blocks).before)
  return added.length === 0 ? globals : [...new Map([...globals, ...added])]
}

/** What has to stay of the blocks of an entry that is taken out: records for the entries after it. */
export const globalBlocks = (blocks: Uint8Array): Uint8Array =>
  Buffer.concat(piecesOf(blocks).before.filter(({ block }) => typeOf(block) === "g").flatMap(whole))

export const withPadding = (body: Uint8Array): Uint8Array =>
  Buffer.concat([body, new Uint8Array(padded(body.length) - body.length)])

const whole = ({ block, body }: Piece): ReadonlyArray<Uint8Array> => [block, withPadding(body)]

/** The block that announces records: made anew so that no name, process number or time of a packer stays in it. */
const recordsBlock = (like: Uint8Array, own: Uint8Array, size: number): Uint8Array => {
  const block = new Uint8Array(like)
  block.fill(0, 0, 100)
  block.set(Buffer.from("PaxHeaders/entry"))
  putOctal(block, 124, 12, BigInt(size))
  block.set(own.subarray(136, 148), 136)
  block[156] = "x".charCodeAt(0)
  block.fill(0, 157, 257)
  block.set(Buffer.from("ustar\u{0}00"), 257)
  block.fill(0, 265, 329)
  block.fill(0, 345, 512)
  seal(block)
  return block
}

/** The header with what the archive says of it as records of its own, and without word on the entries after it. */
export const standalone = (raw: RawHeader): RawHeader => {
  const { after, before, own } = piecesOf(raw.blocks)
  const general = new Map([...raw.globals, ...globalsIn(before)])
  if (general.size === 0) return raw
  const said = new Set(ownRecords(raw).map(([key]) => key))
  const added = [...general].filter(([key, value]) => key !== "comment" && value.length > 0 && !said.has(key))
  const kept = before.filter(({ block }) => typeOf(block) !== "g")
  return { ...raw, globals: [], blocks: Buffer.concat([...extensionsOf(kept, new Map(added), own), own, after]) }
}

/** The blocks of a header with the change made; the same ones when it changes nothing. */
export const changeHeader = ({ blocks, globals, header }: RawHeader, change: HeaderChange): Uint8Array => {
  const { after, before: all, own: received } = piecesOf(blocks)
  const own = new Uint8Array(received)
  const isGnu = magicOf(own) === "gnu"
  // What the whole archive says has to be said otherwise, not only left out.
  const general = new Set([...globals, ...globalsIn(all)].map(([key]) => key))
  const records = new Map<string, Uint8Array | undefined>()
  const replaced = new Set<string>()
  const time = (key: "mtime" | "atime" | "ctime", from: number | undefined) => {
    const value = change[key]
    if (value === undefined || header[key] === undefined || value === header[key]) return
    if (from !== undefined) putOctal(own, from, 12, secondsOf(value))
    const isInBlock = from !== undefined && value % second === 0n && !general.has(key)
    records.set(key, isInBlock ? undefined : Buffer.from(timeText(value)))
  }
  time("mtime", 136)
  time("atime", isGnu && !header.pax.has("atime") ? 345 : undefined)
  time("ctime", isGnu && !header.pax.has("ctime") ? 357 : undefined)
  for (const [key, from] of [["uname", 265], ["gname", 297]] as const) {
    if (change[key] === undefined || header[key] === "") continue
    own.fill(0, from, from + 32)
    records.set(key, general.has(key) ? new Uint8Array() : undefined)
  }
  if (change.size !== undefined && change.size !== header.size) {
    putOctal(own, 124, 12, BigInt(change.size))
    records.set("size", general.has("size") ? Buffer.from(String(change.size)) : undefined)
  }
  for (const [key, from, record, long] of nameFields) {
    const value = change[key]
    if (value === undefined || value === header[key]) continue
    const bytes = bytesOf(value)
    own.fill(0, from, from + 100)
    own.set(bytes.subarray(0, 100), from)
    if (key === "name" && magicOf(own) === "ustar") own.fill(0, 345, 500)
    replaced.add(long)
    records.set(record, bytes.length > 100 || general.has(record) ? bytes : undefined)
    if (key === "name" && header.pax.has("GNU.sparse.name")) records.set("GNU.sparse.name", bytes)
  }
  if (records.size === 0) return blocks
  const before = all.filter(({ block }) => !replaced.has(typeOf(block)))
  seal(own)
  return Buffer.concat([...extensionsOf(before, records, own), own, after])
}

/** Names: their fields of 100 bytes, the records and the extensions of GNU for longer ones. */
const nameFields = [["name", 0, "path", "L"], ["linkname", 157, "linkpath", "K"]] as const

/** The pieces before the own block, records as changed: the last header of records gets what is added. */
const extensionsOf = (
  before: ReadonlyArray<Piece>,
  changed: ReadonlyMap<string, Uint8Array | undefined>,
  own: Uint8Array
): ReadonlyArray<Uint8Array> => {
  const added = [...changed].flatMap(([key, value]) => value === undefined ? [] : [[key, value] as const])
  const made = (records: Records, like: Uint8Array): ReadonlyArray<Uint8Array> => {
    if (records.length === 0) return []
    const body = writeRecords(records)
    return whole({ block: recordsBlock(like, own, body.length), body })
  }
  const last = before.findLastIndex(({ block }) => typeOf(block) === "x")
  const kept = before.flatMap((piece, at) => {
    if (typeOf(piece.block) !== "x") return whole(piece)
    const records = readRecords(piece.body).filter(([key]) => !changed.has(key))
    return made(at === last ? [...records, ...added] : records, piece.block)
  })
  return last < 0 ? [...kept, ...made(added, own)] : kept
}
