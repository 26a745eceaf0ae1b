/** `regbot` as a process. REGBOT names another program that runs the same scripts, to compare with. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Daemon, daemon } from "./daemons.ts"
import { located, type Places } from "./guides.ts"
import { type Ran, root, run, type RunOptions, tool } from "./programs.ts"

const other = process.env["REGBOT"]
const [program = process.execPath, ...first] = other === undefined ? [process.execPath, tool("regbot")] : [other]

/** Runs the tool with a configuration as its standard input, in a directory that is its home too. */
export const regbot = (
  dir: string,
  args: ReadonlyArray<string>,
  input: string,
  env: RunOptions["env"] = {},
  config = "-"
): Promise<Ran> =>
  run(program, [...first, ...args, "-c", config], {
    cwd: dir,
    env: { HOME: dir, DOCKER_CONFIG: dir, DOCKER_AUTH_CONFIG: undefined, REGISTRY_AUTH_FILE: undefined, ...env },
    input
  })

/** A configuration of `examples/regbot`, with registries where they are in the test. */
export const example = (name: string, places: Places): string =>
  located(readFileSync(join(root, "examples/regbot", name), "utf8"), places)

/** The records of a log, without their times. */
export const records = (err: string): ReadonlyArray<string> =>
  err.split("\n").flatMap((line) => /^time=\S+ level=(.*)$/.exec(line)?.[1] ?? [])

/** What scripts said by `log`, in its order. */
export const said = (err: string): ReadonlyArray<string> =>
  records(err).flatMap((line) => {
    const [, quoted, plain] =
      /^INFO msg="User script message" script=.* message=(?:"((?:[^"\\]|\\.)*)"|(\S+))$/.exec(line)
        ?? []
    return quoted?.replaceAll(/\\(.)/g, "$1") ?? plain ?? []
  })

/** A daemon in a directory that is its home too. */
export const regbotServer = (dir: string, args: ReadonlyArray<string>): Daemon =>
  daemon(dir, [program, ...first, ...args])
