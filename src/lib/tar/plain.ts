/** Headers of files and directories of nobody, at the beginning of time, byte for byte as Go's `archive/tar` writes them. */
import { blockSize, putOctal, seal, withPadding, writeRecords } from "./header.ts"

const nameSize = 100
const maxSize = 8 ** 11 - 1

const block = (name: string, prefix: string, type: string, mode: number, size: number): Uint8Array => {
  const header = new Uint8Array(blockSize)
  header.set(Buffer.from(name).subarray(0, nameSize))
  for (const [from, value] of [[100, mode], [108, 0], [116, 0]] as const) putOctal(header, from, 8, BigInt(value))
  putOctal(header, 124, 12, BigInt(size))
  putOctal(header, 136, 12, 0n)
  header[156] = type.charCodeAt(0)
  header.set(Buffer.from("ustar\u{0}00"), 257)
  if (type !== "x") { for (const from of [329, 337]) putOctal(header, from, 8, 0n) }
  header.set(Buffer.from(prefix), 345)
  seal(header)
  return header
}

/** What stands before a body of `size` bytes; a name of ASCII letters, up to 155 of them, that ends in a slash is a directory's. */
export const plainHeader = (name: string, size: number): Uint8Array => {
  const isDirectory = name.endsWith("/")
  const [type, mode] = isDirectory ? ["5", 0o755] as const : ["0", 0o644] as const
  const slash = name.lastIndexOf("/", name.length - 2)
  const [folder, base] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
  const isSplit = name.length > nameSize && slash > 0 && base.length <= nameSize
  const records = [
    ...(name.length > nameSize && (!isSplit || size > maxSize) ? [["path", Buffer.from(name)] as const] : []),
    ...(size > maxSize ? [["size", Buffer.from(String(size))] as const] : [])
  ]
  if (records.length === 0) return block(isSplit ? base : name, isSplit ? folder : "", type, mode, size)
  const body = writeRecords(records)
  const extension = block(`${folder === "" ? "" : `${folder}/`}PaxHeaders.0/${base}`, "", "x", 0, body.length)
  return Buffer.concat([extension, withPadding(body), block(name, "", type, mode, size > maxSize ? 0 : size)])
}
