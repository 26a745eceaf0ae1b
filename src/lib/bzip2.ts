/**
 * Takes bzip2 off: Huffman codes, move to front, the Burrows-Wheeler transform and two run lengths, in the memory of one
 * block (4.5 MB) however much comes out.
 */

export class Bzip2Problem extends Error {}

const cut = () => new Bzip2Problem("unexpected end of file")
const damaged = () => new Bzip2Problem("damaged data")

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = (value & 0x80000000) === 0 ? value << 1 : (value << 1) ^ 0x04c11db7
  return value >>> 0
})

/** Bits of bytes, the highest first. */
class Bits {
  private readonly bytes: Uint8Array
  private at: number
  private held = 0
  private count = 0

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** Up to 24 of them as a number. */
  read(size: number): number {
    while (this.count < size) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw cut()
      this.held = ((this.held << 8) | byte) & 0x7fffffff
      this.count += 8
    }
    this.count -= size
    return (this.held >>> this.count) & ((1 << size) - 1)
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0
  }

  /** The byte that holds the next bit, and how many of its bits are used. */
  position(): number {
    return this.at - Math.ceil(this.count / 8)
  }

  offset(): number {
    return (8 - (this.count % 8)) % 8
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.count -= this.count % 8
  }
}

/** A Huffman code: for each length the largest code, what to take off it, and the symbols in the order of their codes. */
interface Code {
  readonly shortest: number
  readonly limit: Int32Array
  readonly base: Int32Array
  readonly symbols: Uint16Array
}

const longest = 20

const codeOf = (lengths: Uint8Array): Code => {
  const counts = new Int32Array(longest + 2)
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1
  const limit = new Int32Array(longest + 2).fill(-1)
  const base = new Int32Array(longest + 2)
  const shortest = counts.findIndex((count) => count > 0)
  let [code, before] = [0, 0]
  for (let length = shortest; length <= longest; length++) {
    const count = counts[length] ?? 0
    base[length] = code - before
    code += count
    before += count
    limit[length] = count === 0 ? -1 : code - 1
    code <<= 1
  }
  const order = [...lengths.keys()].toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b)
  return { shortest, limit, base, symbols: Uint16Array.from(order) }
}

const readSymbol = (bits: Bits, { base, limit, shortest, symbols }: Code): number => {
  let length = shortest
  let code = bits.read(length)
  while (code > (limit[length] ?? -1)) {
    if (++length > longest) throw damaged()
    code = (code << 1) | bits.read(1)
  }
  const symbol = symbols[code - (base[length] ?? 0)]
  if (symbol === undefined) throw damaged()
  return symbol
}

/** The bytes a block uses, in their order. */
const readAlphabet = (bits: Bits): Uint8Array => {
  const used = bits.read(16)
  const bytes: Array<number> = []
  for (let high = 0; high < 16; high++) {
    if ((used & (0x8000 >> high)) === 0) continue
    const row = bits.read(16)
    for (let low = 0; low < 16; low++) if ((row & (0x8000 >> low)) !== 0) bytes.push(high * 16 + low)
  }
  if (bytes.length === 0) throw damaged()
  return Uint8Array.from(bytes)
}

/** Moves the entry at a place to the front and gives it. */
const toFront = (list: Uint8Array, at: number): number => {
  const value = list[at] ?? 0
  list.copyWithin(1, 0, at)
  list[0] = value
  return value
}

const readSelectors = (bits: Bits, codes: number): Uint8Array => {
  const selectors = new Uint8Array(bits.read(15))
  if (codes < 2 || codes > 6 || selectors.length === 0) throw damaged()
  const order = Uint8Array.from({ length: codes }, (_, at) => at)
  for (let at = 0; at < selectors.length; at++) {
    let place = 0
    while (bits.read(1) === 1) if (++place >= codes) throw damaged()
    selectors[at] = toFront(order, place)
  }
  return selectors
}

const readCode = (bits: Bits, size: number): Code => {
  const lengths = new Uint8Array(size)
  let length = bits.read(5)
  for (let at = 0; at < size; at++) {
    for (;;) {
      if (length < 1 || length > longest) throw damaged()
      if (bits.read(1) === 0) break
      length += bits.read(1) === 0 ? 1 : -1
    }
    lengths[at] = length
  }
  return codeOf(lengths)
}

interface Block {
  readonly crc: number
  readonly start: number
  readonly size: number
}

/** Reads a block into `work`: each entry a byte, and above it the place of the byte that follows. */
const readBlock = (bits: Bits, work: Uint32Array): Block => {
  const crc = bits.read32()
  if (bits.read(1) === 1) throw new Bzip2Problem("an obsolete form that is not supported")
  const start = bits.read(24)
  const alphabet = readAlphabet(bits)
  const codeCount = bits.read(3)
  const selectors = readSelectors(bits, codeCount)
  const end = alphabet.length + 1
  const codes = Array.from({ length: codeCount }, () => readCode(bits, end + 1))
  const counts = new Uint32Array(256)
  let [size, run, weight, group, left] = [0, 0, 1, 0, 0]
  let code: Code | undefined
  for (;;) {
    if (left-- === 0) {
      code = codes[selectors[group++] ?? -1]
      left = 49
    }
    if (code === undefined) throw damaged()
    const symbol = readSymbol(bits, code)
    if (symbol < 2) {
      run += weight << symbol
      weight <<= 1
      if (run > work.length) throw damaged()
      continue
    }
    if (run > 0) {
      const byte = alphabet[0] ?? 0
      if (size + run > work.length) throw damaged()
      work.fill(byte, size, size + run)
      counts[byte] = (counts[byte] ?? 0) + run
      size += run
      run = 0
    }
    weight = 1
    if (symbol === end) break
    if (size >= work.length) throw damaged()
    const byte = toFront(alphabet, symbol - 1)
    counts[byte] = (counts[byte] ?? 0) + 1
    work[size++] = byte
  }
  if (start >= size) throw damaged()
  let sum = 0
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] ?? 0
    counts[byte] = sum
    sum += count
  }
  for (let at = 0; at < size; at++) {
    const byte = (work[at] ?? 0) & 0xff
    const place = counts[byte] ?? 0
    counts[byte] = place + 1
    work[place] = (work[place] ?? 0) | (at << 8)
  }
  return { crc, start, size }
}

const pieceSize = 256 * 1024

/** The bytes of a block, piece by piece. Fails at its end when they do not fit its checksum. */
function* unpacked(work: Uint32Array, { crc: expected, size, start }: Block): Generator<Uint8Array> {
  let crc = 0xffffffff
  let piece = new Uint8Array(pieceSize)
  let filled = 0
  let entry = work[start] ?? 0
  let [last, same] = [-1, 0]
  for (let left = size; left > 0; left--) {
    entry = work[entry >>> 8] ?? 0
    const byte = entry & 0xff
    // After four equal bytes the fifth says how many more there are.
    const isCount = same === 4
    const copies = isCount ? byte : 1
    const value = isCount ? last : byte
    for (let copy = 0; copy < copies; copy++) {
      crc = ((crc << 8) ^ (table[(crc >>> 24) ^ value] ?? 0)) >>> 0
      piece[filled++] = value
      if (filled === pieceSize) {
        yield piece
        piece = new Uint8Array(pieceSize)
        filled = 0
      }
    }
    if (isCount) [last, same] = [-1, 0]
    else if (byte === last) same++
    else [last, same] = [byte, 1]
  }
  if (filled > 0) yield piece.subarray(0, filled)
  if ((crc ^ 0xffffffff) >>> 0 !== expected) throw damaged()
}

/** Compressed bytes that a block can have at most, with its header. */
const mostOf = (work: Uint32Array): number => work.length + work.length / 4 + 50_000

/** The plain bytes of one stream or several, one after the other. Throws a `Bzip2Problem`. */
export async function* bunzip2(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = input[Symbol.asyncIterator]()
  let bytes: Uint8Array = new Uint8Array()
  let isEnd = false
  /** At least so many bytes, fewer at the end. */
  const fill = async (size: number) => {
    const parts = [bytes]
    for (let have = bytes.length; have < size && !isEnd;) {
      const next = await source.next()
      if (next.done === true) isEnd = true
      else have += parts[parts.push(next.value) - 1]?.length ?? 0
    }
    if (parts.length > 1) bytes = Buffer.concat(parts)
  }
  for (let isFirst = true;; isFirst = false) {
    await fill(4)
    if (bytes.length === 0 && !isFirst) return
    const level = (bytes[3] ?? 0) - 0x30
    if (bytes.length < 4) throw isFirst ? cut() : new Bzip2Problem("bytes after its end")
    if (Buffer.from(bytes.subarray(0, 3)).toString("latin1") !== "BZh" || level < 1 || level > 9) {
      throw isFirst ? damaged() : new Bzip2Problem("bytes after its end")
    }
    bytes = bytes.subarray(4)
    const work = new Uint32Array(level * 100_000)
    let crc = 0
    let skipped = 0
    for (;;) {
      await fill(mostOf(work))
      const bits = new Bits(bytes, 0)
      bits.read(skipped)
      const mark = bits.read(24) * 0x1000000 + bits.read(24)
      if (mark === 0x177245385090) {
        if (bits.read32() !== crc) throw damaged()
        bits.align()
        bytes = bytes.subarray(bits.position())
        break
      }
      if (mark !== 0x314159265359) throw damaged()
      const block = readBlock(bits, work)
      yield* unpacked(work, block)
      crc = (((crc << 1) | (crc >>> 31)) ^ block.crc) >>> 0
      skipped = bits.offset()
      bytes = bytes.subarray(bits.position())
    }
  }
}
