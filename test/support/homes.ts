/** Empty homes for runs of the tool, and runs at its most talkative that must not give a secret away. */
import { assert } from "@effect/vitest"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Ran, run, type RunOptions, tool } from "./programs.ts"

export interface Home {
  readonly path: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Homes below a directory; none of the secrets may be read in any output, nor stay in a temporary file. */
export const homes = (root: string, secrets: ReadonlyArray<string>) => {
  let count = 0
  /** Its own configuration, docker's, and temporary files; a content that is no text is JSON. */
  const home = (files: Readonly<Record<string, unknown>> = {}): Home => {
    const path = join(root, `home${count++}`)
    for (const name of ["docker", "tmp", "run/containers"]) mkdirSync(join(path, name), { recursive: true })
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(path, name), typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 })
    }
    const env = {
      HOME: path,
      REGCTL_CONFIG: join(path, "regctl.json"),
      DOCKER_CONFIG: join(path, "docker"),
      DOCKER_AUTH_CONFIG: undefined,
      REGISTRY_AUTH_FILE: undefined,
      XDG_RUNTIME_DIR: undefined,
      XDG_CACHE_HOME: join(root, "cache"),
      TMPDIR: join(path, "tmp"),
      PATH: `${join(root, "bin")}:${process.env["PATH"]}`
    }
    return { path, env }
  }
  const talkative = async (
    { env, path }: Home,
    args: ReadonlyArray<string>,
    options: RunOptions = {}
  ): Promise<Ran> => {
    const ran = await run(process.execPath, [tool("regctl"), "-v", "trace", "--logopt", "json", ...args], {
      cwd: path,
      ...options,
      env: { ...env, ...options.env }
    })
    for (const secret of secrets) assert.notInclude(ran.out + ran.err, secret, args.join(" "))
    assert.deepStrictEqual(readdirSync(join(path, "tmp")), [])
    return ran
  }
  return { home, talkative }
}

/** The last log line of a run with JSON logs. */
export const lastRecord = (ran: Ran) =>
  ran.err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it)).at(-1)
