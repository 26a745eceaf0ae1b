/** Whether a file found under a name that anybody may guess is one that only we can have made. */
import { lstat } from "node:fs/promises"
import { codeOf } from "./files.ts"

/** Whether it is a directory of this user in which nobody else can make or rename files. */
export const isOwnDirectory = async (path: string): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined)
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid) && (found.mode & 0o022) === 0
}

/** The bytes of a plain file of this user without another name; none of anything else, nor where there is nothing. */
export const ownFileSize = async (path: string): Promise<number | undefined> => {
  try {
    const found = await lstat(path)
    const isOwn = found.uid === (process.getuid?.() ?? found.uid)
    return found.isFile() && found.nlink === 1 && isOwn ? found.size : undefined
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}
