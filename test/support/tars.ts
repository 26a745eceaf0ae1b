/** Tar archives made by GNU tar, the same in each run, and others written field by field, honest or not. */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Names to contents; a name that ends in `/` is a directory, an object a symlink. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>

/** Files below a directory that is made for them. */
export const plant = (dir: string, tree: Tree): string => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const [name, content] of Object.entries(tree)) {
    const path = join(dir, name)
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true })
    if (name.endsWith("/")) continue
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(path, content, { mode: 0o644 })
    else symlinkSync(content.link, path)
  }
  return dir
}

/** All of a directory: in order, owned by root, changed at 2020-09-13T12:26:40Z. */
export const tarOf = (dir: string, options: ReadonlyArray<string> = ["--format=ustar"]): Buffer =>
  execFileSync(
    "tar",
    [
      "-C",
      dir,
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mtime=@1600000000",
      ...options,
      "-c",
      "."
    ],
    { maxBuffer: 1024 ** 3, stdio: ["ignore", "pipe", "ignore"] }
  )

export interface RawEntry {
  readonly name: string
  /** The type flag; `\0` for the oldest archives. */
  readonly type?: string
  readonly body?: string | Uint8Array
  readonly linkname?: string
  /** What the header says, when it is not the length of the body. */
  readonly size?: number
  readonly magic?: "ustar" | "gnu" | "none"
  /** Bytes by their place in the block, before the checksum is made. */
  readonly patch?: ReadonlyArray<readonly [at: number, bytes: string | Uint8Array]>
}

/** An entry written field by field, so that anything can be wrong with it but the checksum. */
export const rawEntry = (
  { body = "", linkname = "", magic = "ustar", name, patch = [], size, type = "0" }: RawEntry
): Buffer => {
  const content = Buffer.from(body)
  const block = Buffer.alloc(512)
  block.write(name, 0, 100)
  block.write("0000644\u{0}0000000\u{0}0000000\0", 100)
  block.write(`${(size ?? content.length).toString(8).padStart(11, "0")}\0`, 124)
  block.write("13727410000\0", 136)
  block.write(type, 156, "latin1")
  block.write(linkname, 157, 100)
  if (magic !== "none") block.write(magic === "gnu" ? "ustar  \0" : "ustar\u{0}00", 257)
  for (const [at, bytes] of patch) block.set(Buffer.from(bytes), at)
  block.fill(" ", 148, 156)
  block.write(`${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148)
  return Buffer.concat([block, content, Buffer.alloc((512 - content.length % 512) % 512)])
}

/** A pax header with these records, whatever they are. */
export const paxEntry = (
  records: ReadonlyArray<readonly [key: string, value: string | Uint8Array]>,
  type = "x"
): Buffer =>
  rawEntry({
    name: "PaxHeaders/x",
    type,
    body: Buffer.concat(records.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")])
      const digits = [1, 2, 3, 4, 5, 6].find((it) => String(rest.length + it).length === it) ?? 0
      return Buffer.concat([Buffer.from(String(rest.length + digits)), rest])
    }))
  })

export const archiveOf = (...parts: ReadonlyArray<Uint8Array>): Buffer => Buffer.concat([...parts, Buffer.alloc(1024)])

/** An archive of entries written field by field. */
export const rawTar = (entries: ReadonlyArray<RawEntry>): Buffer => archiveOf(...entries.map(rawEntry))
