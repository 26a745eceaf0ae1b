/** Layers as data: what is in one, and the tar it makes. Equal entries give equal bytes, whoever builds them and when. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, writeSync } from "node:fs"
import { join } from "node:path"
import { padded } from "../../src/lib/tar/header.ts"
import { endBlocks, newHeader } from "../../src/lib/tar/pack.ts"

export type Entry =
  | { readonly type: "directory"; readonly mode?: number; readonly owner?: number }
  | { readonly type: "symlink"; readonly linkname: string }
  | { readonly type: "file"; readonly body: Uint8Array | string; readonly mode?: number }
  /** A file by its path on this machine. */
  | { readonly type: "copy"; readonly from: string; readonly mode?: number }

/** Entries by their paths, which have no slash at either end. */
export type Tree = ReadonlyMap<string, Entry>

/** What is below a directory of this machine, files and symlinks, by their paths in it. */
export const found = (dir: string): ReadonlyMap<string, Entry> =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((it) => !it.isDirectory())
      .map((it) => {
        const from = join(it.parentPath, it.name)
        const entry: Entry = it.isSymbolicLink()
          ? { type: "symlink", linkname: readlinkSync(from) }
          : { type: "copy", from, mode: (statSync(from).mode & 0o111) === 0 ? 0o644 : 0o755 }
        return [from.slice(dir.length + 1), entry] as const
      })
  )

/** With the directories that paths name and no entry is. */
const complete = (tree: Tree): Tree => {
  const all = new Map(tree)
  for (const path of tree.keys()) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      if (!all.has(path.slice(0, at))) all.set(path.slice(0, at), { type: "directory" })
    }
  }
  return all
}

/**
 * Writes a tar, sorted by path, everything of one time in seconds since 1970. Layers are of the beginning of time, which
 * keeps their digests from release to release.
 */
export const writeTar = (file: string, tree: Tree, mtime = 0): void => {
  const to = openSync(file, "w")
  const write = (view: Uint8Array) => {
    for (let at = 0; at < view.length;) at += writeSync(to, view, at)
  }
  const entries = [...complete(tree)].toSorted(([a], [b]) => a < b ? -1 : 1)
  for (const [path, entry] of entries) {
    switch (entry.type) {
      case "directory": {
        const { mode = 0o755, owner = 0 } = entry
        write(newHeader({ name: `${path}/`, type: "directory", size: 0, mode, mtime, uid: owner, gid: owner }))
        break
      }
      case "symlink":
        write(newHeader({ name: path, type: "symlink", size: 0, mode: 0o777, mtime, linkname: entry.linkname }))
        break
      default: {
        const body = entry.type === "copy" ? readFileSync(entry.from) : Buffer.from(entry.body)
        write(newHeader({ name: path, type: "file", size: body.length, mode: entry.mode ?? 0o644, mtime }))
        write(body)
        write(new Uint8Array(padded(body.length) - body.length))
      }
    }
  }
  write(endBlocks)
  closeSync(to)
}
