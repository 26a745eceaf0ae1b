/** Programs as steps of a build: each has to succeed, and says what it said when it does not. */
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..")

export const tools = ["regctl", "regsync", "regbot"] as const
export type ToolName = typeof tools[number]

interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
}

/** What a program wrote to its standard output. */
export const must = (
  program: string,
  args: ReadonlyArray<string>,
  { cwd = root, env, input }: Options = {}
): string => {
  const { error, signal, status, stderr, stdout } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    ...(input === undefined ? {} : { input })
  })
  if (error !== undefined) throw new Error(`${program}: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status ?? signal}\n${stdout}${stderr}`)
  return stdout
}

/** A tool as built, with no configuration but what its arguments say. */
export const built = (tool: ToolName, args: ReadonlyArray<string>, options: Options = {}): string =>
  must(process.execPath, [join(root, "dist", `${tool}.js`), ...args], {
    ...options,
    env: {
      REGCTL_CONFIG: "/nonexistent/config.json",
      DOCKER_CONFIG: "/nonexistent",
      DOCKER_AUTH_CONFIG: "",
      ...options.env
    }
  })

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly bin: Readonly<Record<ToolName, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** The package that is built. */
export const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** The Node the project is built with, and ships. */
export const nodeVersion: string = manifest.devDependencies["node"] ?? ""

const git = (...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return ""
  }
}

/** The commit that is built, empty where this is no clone. */
export const revision: string = git("rev-parse", "HEAD")

/** Whether files differ from that commit. */
export const isDirty: boolean = git("status", "--porcelain", "--untracked-files=no") !== ""

/** Seconds since 1970: `SOURCE_DATE_EPOCH`, else the time of the commit, else 0. Equal sources have equal times. */
export const epoch: number = Number(process.env["SOURCE_DATE_EPOCH"] ?? git("show", "-s", "--format=%ct", "HEAD")) || 0

export const createdAt: string = new Date(epoch * 1000).toISOString().replace(".000Z", "Z")

export const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Runs the steps of a script: what fails is told without a stack, and fails the script. */
export const script = async (steps: () => void | Promise<void>): Promise<void> => {
  try {
    await steps()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
