/** Temporary files and directories whose names tell their owner, and the removal of what a dead one left (faults L12). */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { ownerMark, stateOfMark } from "./owner.ts"
import { randomId } from "./randomId.ts"

/** A name for a file beside the one whose place it will take; no longer than any file system allows. */
export const temporaryName = (): string => `.regclient-${ownerMark()}-${randomId()}.tmp`

/** What a directory of its own is called, before some random letters. */
export const directoryPrefix = (): string => `regclient-${ownerMark()}-`

const ofFile = /^\.regclient-([0-9a-f]{12}-\d+-\d+)-[0-9a-f]{32}\.tmp$/
const ofDirectory = /^regclient-([0-9a-f]{12}-\d+-\d+)-\w{6}$/
const hour = 3_600_000

/**
 * Removes from a folder what processes left that have ended, and what those of other machines have not touched for an
 * hour at `now`, in milliseconds since the epoch. What cannot be removed stays.
 */
export const removeLeftovers = async (folder: string, now: number): Promise<void> => {
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const [file, directory] = [ofFile.exec(name)?.[1], ofDirectory.exec(name)?.[1]]
    const mark = file ?? directory
    const state = mark === undefined ? "alive" : stateOfMark(mark)
    if (state === "alive") continue
    const path = join(folder, name)
    // Another may be as fast, or not allow it.
    const info = await fs.lstat(path).catch(() => undefined)
    if (info === undefined || (state === "unknown" && now - info.mtimeMs < hour)) continue
    // In a directory of somebody else, links could lead the removal astray.
    const isOurs = info.isDirectory() && info.uid === process.getuid?.()
    if (file !== undefined || isOurs) await fs.rm(path, { recursive: isOurs, force: true }).catch(() => {})
  }
}
