/** Which libraries a program for Linux asks its loader for (System V ABI, chapters 4 and 5; 64 bit, little endian). */

/** Types of program headers, and tags of the dynamic section. */
const load = 1
const dynamic = 2
const needed = 1n
const strings = 5n

/** Names such as `libc.so.6`, in the order of the file. Throws where this is no such program. */
export const neededBy = (program: Buffer): ReadonlyArray<string> => {
  if (program.subarray(0, 6).toString("latin1") !== "\x7fELF\x02\x01") throw new Error("no program of 64 bits")
  const at = Number(program.readBigUInt64LE(32))
  const headers = Array.from({ length: program.readUInt16LE(56) }, (_, index) => {
    const header = at + index * program.readUInt16LE(54)
    const number = (offset: number) => Number(program.readBigUInt64LE(header + offset))
    return { type: program.readUInt32LE(header), offset: number(8), address: number(16), size: number(32) }
  })
  const section = headers.find(({ type }) => type === dynamic)
  if (section === undefined) return []
  const entries = Array.from({ length: section.size / 16 }, (_, index) => {
    const entry = section.offset + index * 16
    return [program.readBigInt64LE(entry), Number(program.readBigUInt64LE(entry + 8))] as const
  })
  const table = entries.find(([tag]) => tag === strings)?.[1] ?? 0
  const holder = headers.find(({ address, size, type }) => type === load && address <= table && table < address + size)
  if (holder === undefined) throw new Error("no table of names")
  const names = table - holder.address + holder.offset
  return entries.filter(([tag]) => tag === needed).map(([, name]) =>
    program.toString("latin1", names + name, program.indexOf(0, names + name))
  )
}
