/** The home directory of the user who runs the program, for when `HOME` does not say. */
import { homedir } from "node:os"

/** `undefined` when the system knows none. */
export const homeDir = (): string | undefined => {
  try {
    const found = homedir()
    return found === "" ? undefined : found
  } catch {
    return undefined
  }
}
