/** Which loader a program for Linux names, and which libraries it asks it for (System V ABI, chapters 4 and 5; 64 bit, little endian). */

/** Types of program headers, and tags of the dynamic section. */
const load = 1
const dynamic = 2
const interpreter = 3
const needed = 1n
const strings = 5n

interface Needed {
  /** A path such as `/lib64/ld-linux-x86-64.so.2`. */
  readonly loader: string
  /** Names such as `libc.so.6`, in the order of the file. */
  readonly libraries: ReadonlyArray<string>
}

/** Throws where this is no such program. */
export const neededBy = (program: Buffer): Needed => {
  if (program.subarray(0, 6).toString("latin1") !== "\x7fELF\x02\x01") throw new Error("no program of 64 bits")
  const at = Number(program.readBigUInt64LE(32))
  const headers = Array.from({ length: program.readUInt16LE(56) }, (_, index) => {
    const header = at + index * program.readUInt16LE(54)
    const number = (offset: number) => Number(program.readBigUInt64LE(header + offset))
    return { type: program.readUInt32LE(header), offset: number(8), address: number(16), size: number(32) }
  })
  const [section, loader] = [dynamic, interpreter].map((it) => headers.find(({ type }) => type === it))
  if (section === undefined || loader === undefined) throw new Error("no program that is linked when it starts")
  const text = (from: number) => program.toString("latin1", from, program.indexOf(0, from))
  const entries = Array.from({ length: section.size / 16 }, (_, index) => {
    const entry = section.offset + index * 16
    return [program.readBigInt64LE(entry), Number(program.readBigUInt64LE(entry + 8))] as const
  })
  const table = entries.find(([tag]) => tag === strings)?.[1] ?? 0
  const holder = headers.find(({ address, size, type }) => type === load && address <= table && table < address + size)
  if (holder === undefined) throw new Error("no table of names")
  const names = table - holder.address + holder.offset
  return {
    loader: text(loader.offset),
    libraries: entries.filter(([tag]) => tag === needed).map(([, name]) => text(names + name))
  }
}
