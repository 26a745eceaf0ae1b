/** The file that started this process: what a link to the tool has to point to. */
import { isSea } from "node:sea"

/** An absolute path, that of the executable itself where Node is part of it; links in it are not followed. */
export const programFile = (): string => isSea() ? process.execPath : process.argv[1] ?? ""
