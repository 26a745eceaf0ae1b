/** Headers of new tar entries, made by `tar-stream`: bodies go their own way, at full speed. */
import { pack } from "tar-stream"
import { blockSize, putOctal, seal } from "./header.ts"

export interface NewEntry {
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

/** What the fields of a header can hold; pax records take what they cannot. */
const maxTime = 2 ** 31 - 1
const maxId = 0o777777
const maxName = 31

const isLong = (name: string): boolean => Buffer.byteLength(name) > maxName

const flags: Readonly<Record<NewEntry["type"], string>> = { file: "0", link: "1", symlink: "2", directory: "5" }
const maxSize = 8 ** 11 - 1
const plainText = /^[ -~]{0,100}$/

/** The one block that nearly every entry needs, as Go writes it; none for what does not fit its fields. */
const plainBlock = (entry: NewEntry): Uint8Array | undefined => {
  const { gid = 0, gname = "", linkname = "", mode, mtime, name, size, type, uid = 0, uname = "" } = entry
  const isPlain = plainText.test(name) && plainText.test(linkname) && !isLong(uname) && !isLong(gname) &&
    uid <= maxId && gid <= maxId && size <= maxSize && mtime >= 0 && mtime <= maxTime
  if (!isPlain) return undefined
  const block = new Uint8Array(blockSize)
  const texts = [[0, name], [156, flags[type]], [157, linkname], [257, "ustar\u{0}00"], [265, uname], [
    297,
    gname
  ]] as const
  for (const [at, text] of texts) if (text !== "") block.set(Buffer.from(text), at)
  for (const [at, value] of [[100, mode & 0o7777], [108, uid], [116, gid], [329, 0], [337, 0]] as const) {
    putOctal(block, at, 8, BigInt(value))
  }
  putOctal(block, 124, 12, BigInt(type === "file" ? size : 0))
  putOctal(block, 136, 12, BigInt(mtime))
  seal(block)
  return block
}

/** The blocks of an entry's header, extensions included: what stands before its body. */
export const newHeader = async (entry: NewEntry): Promise<Uint8Array> => plainBlock(entry) ?? packedHeader(entry)

const packedHeader = async (entry: NewEntry): Promise<Uint8Array> => {
  const { gid = 0, gname = "", linkname, mtime, name, size, type, uid = 0, uname = "" } = entry
  const isTime = mtime >= 0 && mtime <= maxTime
  const pax = {
    ...(isTime ? {} : { mtime: String(mtime) }),
    ...(uid > maxId ? { uid: String(uid) } : {}),
    ...(gid > maxId ? { gid: String(gid) } : {}),
    ...(isLong(uname) ? { uname } : {}),
    ...(isLong(gname) ? { gname } : {})
  }
  const archive = pack()
  const blocks: Array<Uint8Array> = []
  const body = archive.entry({
    name,
    type,
    size,
    // Without a bit that is cut off again the package would take 0 for none given.
    mode: entry.mode === 0 ? 0o10000 : entry.mode,
    mtime: new Date(isTime ? mtime * 1000 : 0),
    uid: Math.min(uid, maxId),
    gid: Math.min(gid, maxId),
    uname: isLong(uname) ? "" : uname,
    gname: isLong(gname) ? "" : gname,
    ...(linkname === undefined ? {} : { linkname }),
    ...(Object.keys(pax).length === 0 ? {} : { pax })
  })
  // The header is there once the entry was opened; its body is never written.
  body.on("error", () => {})
  archive.on("error", () => {})
  await new Promise<void>((resolve) => archive.once("readable", resolve))
  for (let part = archive.read(); part instanceof Uint8Array; part = archive.read()) blocks.push(part)
  archive.destroy()
  return Buffer.concat(blocks)
}

/** What ends an archive. */
export const endBlocks: Uint8Array = new Uint8Array(1024)
