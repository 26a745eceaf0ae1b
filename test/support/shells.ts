/** Programs at a terminal of their own, fed as if somebody typed. */
import { mkdirSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { installed, must, tool } from "./programs.ts"

/** A directory for the front of `PATH` in which the tools have their names, and the Node that runs them. */
export const toolsIn = (dir: string): string => {
  const bin = join(dir, "bin")
  mkdirSync(bin, { recursive: true })
  symlinkSync(process.execPath, join(bin, "node"))
  for (const name of ["regctl", "regsync", "regbot"] as const) symlinkSync(tool(name), join(bin, name))
  return bin
}

/** What a command shows at a terminal when these keys are typed; lines end as in a file. */
export const typed = async (
  command: string,
  keys: string,
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string }
): Promise<string> => {
  const shown = await must(installed("script", "bsdutils"), ["-qec", command, "/dev/null"], { ...options, input: keys })
  return shown.replaceAll("\r\n", "\n")
}
