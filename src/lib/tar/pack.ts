/**
 * Headers of new tar entries, byte for byte as Go's `archive/tar` writes them, so that equal content has equal digests:
 * ustar where its fields are enough, else pax records in front (POSIX.1-2017, pax).
 */
import { posix } from "node:path"
import { blockSize, putOctal, type Records, seal, withPadding, writeRecords } from "./header.ts"

export interface NewEntry {
  /** As it is written: a directory has a slash at its end or none. */
  readonly name: string
  readonly type: "file" | "directory" | "symlink" | "link"
  /** Bytes of the body, of files only. */
  readonly size: number
  readonly mode: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  readonly uid?: number
  readonly gid?: number
  readonly uname?: string
  readonly gname?: string
  readonly linkname?: string
}

const flags: Readonly<Record<NewEntry["type"], string>> = { file: "0", link: "1", symlink: "2", directory: "5" }

/** Bytes of the fields for names, and what 7 and 11 octal digits hold. */
const nameSize = 100
const prefixSize = 155
const ownerSize = 32
const maxId = 8 ** 7 - 1
const maxLong = 8 ** 11 - 1

/** What a number is where its field cannot hold it; the pax record says it then. */
const fitting = (value: number, most: number): number => value >= 0 && value <= most ? value : 0

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)
const asciiOf = (text: string): string => text.replace(/[^\x01-\x7f]/g, "")
const fits = (text: string, size: number): boolean => text.length <= size && isAscii(text)

/** Folder and name for the two fields of ustar, where a long name can be cut at a slash. */
const splitName = (name: string): readonly [prefix: string, name: string] | undefined => {
  if (name.length <= nameSize || !isAscii(name)) return undefined
  const slash = name.slice(0, Math.min(name.length - 1, prefixSize + 1)).lastIndexOf("/")
  return slash <= 0 || name.length - slash - 1 > nameSize ? undefined : [name.slice(0, slash), name.slice(slash + 1)]
}

interface Fields extends Required<NewEntry> {
  /** Of the header that announces records no device is written. */
  readonly flag: string
  readonly prefix: string
}

const blockOf = ({ flag, gid, gname, linkname, mode, mtime, name, prefix, size, uid, uname }: Fields): Uint8Array => {
  const block = new Uint8Array(blockSize)
  const text = (at: number, length: number, value: string) => block.set(Buffer.from(value).subarray(0, length), at)
  const number = (at: number, length: number, value: number) => putOctal(block, at, length, BigInt(value))
  text(0, nameSize, name)
  number(100, 8, mode & 0o7777)
  number(108, 8, fitting(uid, maxId))
  number(116, 8, fitting(gid, maxId))
  number(124, 12, fitting(size, maxLong))
  number(136, 12, fitting(mtime, maxLong))
  text(156, 1, flag)
  text(157, nameSize, linkname)
  text(257, 8, "ustar\u{0}00")
  text(265, ownerSize, uname)
  text(297, ownerSize, gname)
  if (flag !== "x") { for (const at of [329, 337]) number(at, 8, 0) }
  text(345, prefixSize, prefix)
  seal(block)
  return block
}

/** What the fields cannot hold, but for a long name that can be cut, in the order of the keys. */
const recordsOf = ({ gid, gname, linkname, mtime, name, size, uid, uname }: Fields): Records => {
  const isName = fits(name, nameSize)
  const told: ReadonlyArray<readonly [key: string, value: string, isTold: boolean]> = [
    ["gid", String(gid), fitting(gid, maxId) === gid],
    ["gname", gname, fits(gname, ownerSize)],
    ["linkpath", linkname, fits(linkname, nameSize)],
    ["mtime", String(mtime), fitting(mtime, maxLong) === mtime],
    ["path", name, isName],
    ["size", String(size), fitting(size, maxLong) === size],
    ["uid", String(uid), fitting(uid, maxId) === uid],
    ["uname", uname, fits(uname, ownerSize)]
  ]
  return told.flatMap(([key, value, isTold]) => isTold ? [] : [[key, Buffer.from(value)] as const])
}

const nobody = { linkname: "", uid: 0, gid: 0, uname: "", gname: "", mtime: 0 }

/** The blocks of an entry's header, extensions included: what stands before its body. */
export const newHeader = (entry: NewEntry): Uint8Array => {
  const size = entry.type === "file" ? entry.size : 0
  const fields: Fields = { ...nobody, ...entry, size, flag: flags[entry.type], prefix: "" }
  const records = recordsOf(fields)
  if (records.length === 0) return blockOf(fields)
  const split = splitName(fields.name)
  if (split !== undefined && records.every(([key]) => key === "path")) {
    return blockOf({ ...fields, prefix: split[0], name: split[1] })
  }
  const { gname, linkname, name, uname } = fields
  const body = writeRecords(records)
  const slash = name.lastIndexOf("/") + 1
  const announced = asciiOf(posix.join(name.slice(0, slash), "PaxHeaders.0", name.slice(slash)))
  return Buffer.concat([
    blockOf({
      ...fields,
      ...nobody,
      flag: "x",
      mode: 0,
      name: announced.slice(0, nameSize).replace(/\/+$/, ""),
      size: body.length
    }),
    withPadding(body),
    blockOf({
      ...fields,
      name: asciiOf(name),
      linkname: asciiOf(linkname),
      uname: asciiOf(uname),
      gname: asciiOf(gname)
    })
  ])
}

/** A file or, with a slash at the end of its name, a directory of nobody, at the beginning of time. */
export const plainHeader = (name: string, size: number): Uint8Array =>
  name.endsWith("/")
    ? newHeader({ name, type: "directory", size, mode: 0o755, mtime: 0 })
    : newHeader({ name, type: "file", size, mode: 0o644, mtime: 0 })

/** What ends an archive. */
export const endBlocks: Uint8Array = new Uint8Array(1024)
