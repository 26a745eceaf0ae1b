/** What archives keep of files and directories besides their content: modes, owners and their names, times, targets of links. */
import { readFileSync } from "node:fs"
import { lstat, readlink } from "node:fs/promises"

export interface Described {
  readonly type: "file" | "directory" | "symlink" | "other"
  /** Bytes, of files only. */
  readonly size: number
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  /** Where a link leads, as written in it. */
  readonly linkname?: string
}

/** Links are not followed. Fails as Node does. */
export const describe = async (path: string): Promise<Described> => {
  const stats = await lstat(path)
  const common = {
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: Math.floor(stats.mtimeMs / 1000),
    size: 0
  }
  if (stats.isFile()) return { ...common, type: "file", size: stats.size }
  if (stats.isDirectory()) return { ...common, type: "directory" }
  return stats.isSymbolicLink()
    ? { ...common, type: "symlink", linkname: await readlink(path) }
    : { ...common, type: "other" }
}

/** Names by number, from a file such as `/etc/passwd`; none where there is no such file. */
const namesIn = (file: string): ReadonlyMap<number, string> => {
  const names = new Map<number, string>()
  try {
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const [name, , id] = line.split(":")
      // Of two names for one number the first is the one that systems tell.
      if (name !== undefined && id !== undefined && !names.has(Number(id))) names.set(Number(id), name)
    }
  } catch {
    // Not a system with such files: archives then have numbers alone.
  }
  return names
}

export interface OwnerNames {
  readonly user: (uid: number) => string
  readonly group: (gid: number) => string
}

/** Names of users and groups on this machine, empty for those that have none. */
export const ownerNames = (): OwnerNames => {
  const [users, groups] = [namesIn("/etc/passwd"), namesIn("/etc/group")]
  return { user: (uid) => users.get(uid) ?? "", group: (gid) => groups.get(gid) ?? "" }
}
