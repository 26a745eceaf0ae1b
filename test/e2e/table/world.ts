/** Where the cases of the table run: registries and layouts with the fixtures, and the tool as a process. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Ran, run, tool } from "../../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../../support/registries.ts"
import type { After, Backend, Case } from "./case.ts"
import { layoutReader, push, registryReader, repositories } from "./places.ts"
import { spyRegistry } from "./spy.ts"

/** The registry with a login: ada, lovelace. */
const login = `ada:$2y$04$sX6HYHbjzmfFpkkSvejtvuFW3fz4IcpzMOnv0N.g/E1zT5FR5fati\n`

const splitArgs = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll(/'([^']*)'/g, "$1"))

/** What the table is run with: the built tool, or the program the environment names for comparison. */
export const other = process.env["REGCTL_TABLE"]

const limited = (count: number) => {
  const waiting: Array<() => void> = []
  let left = count
  return async <A>(work: () => Promise<A>): Promise<A> => {
    if (left > 0) left--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) left++
      else next()
    }
  }
}

export interface World {
  /** Runs a case against one place; its output with `$OWN` and the others for what they stand for. */
  readonly runCase: (it: Case, backend: Backend) => Promise<After>
  /** Runs the tool with nothing prepared. */
  readonly runTool: (args: ReadonlyArray<string>) => Promise<Ran>
  readonly stop: () => Promise<void>
}

export const makeWorld = async (): Promise<World> => {
  const { path: dir, remove } = temporary("table")
  writeFileSync(join(dir, "users"), login)
  const [serve, docker, guarded, spy] = await Promise.all([
    ownRegistry(),
    dockerRegistry(),
    ownRegistry(["--htpasswd", join(dir, "users")]),
    spyRegistry()
  ])
  const stored: Readonly<Record<string, Running>> = { serve, "docker-registry": docker, login: guarded }
  const running: Readonly<Record<string, Running>> = { ...stored, spy }
  const known = Object.fromEntries(Object.values(running).map(({ host }) => [host, { tls: "disabled" }]))
  const shared = join(dir, "shared")
  cpSync(repositories, shared, { recursive: true })
  const fixtures = readdirSync(repositories)
  await Promise.all(
    Object.entries(stored).map(async ([backend, { host }]) => {
      for (const it of fixtures) await push(host, it, it, backend as Backend) // a key of the record above
    })
  )
  const slots = limited(4)
  let count = 0
  const start = async (args: ReadonlyArray<string>, cwd: string, more: Partial<Case> = {}): Promise<Ran> => {
    const env = {
      HOME: cwd,
      REGCTL_CONFIG: join(cwd, "config.json"),
      DOCKER_CONFIG: join(cwd, "docker"),
      DOCKER_AUTH_CONFIG: undefined,
      REGISTRY_AUTH_FILE: undefined,
      XDG_RUNTIME_DIR: undefined,
      XDG_CONFIG_HOME: undefined,
      // One for all: what the engine compiled is used again.
      XDG_CACHE_HOME: join(dir, "cache"),
      ...more.env
    }
    const options = { cwd, env, ...(more.stdin === undefined ? {} : { input: more.stdin }) }
    return other === undefined
      ? run(process.execPath, [tool("regctl"), ...args], options)
      : run(other, args, options)
  }
  const runCase = (it: Case, backend: Backend): Promise<After> =>
    slots(async () => {
      const name = `c${count++}`
      const cwd = join(dir, name)
      mkdirSync(cwd)
      const host = running[backend]?.host
      const own = host === undefined ? `ocidir://${cwd}/own` : `${host}/${name}`
      const place = host ?? `ocidir://${shared}`
      const fill = (text: string) =>
        text.replaceAll("$OWN", own).replaceAll("$R", place).replaceAll("$HOST", host ?? "").replaceAll("$DIR", cwd)
      const hide = (text: string) =>
        text.replaceAll(own, "$OWN").replaceAll(place, "$R").replaceAll(cwd, "$DIR").replaceAll(shared, "$SHARED")
      for (const fixture of (it.own ?? "").split(" ").filter((word) => word !== "")) {
        if (host === undefined) cpSync(join(repositories, fixture), join(cwd, "own", fixture), { recursive: true })
        else await push(host, `${name}/${fixture}`, fixture, backend)
      }
      for (const [file, content] of Object.entries(it.files ?? {})) {
        mkdirSync(join(cwd, file, ".."), { recursive: true })
        writeFileSync(join(cwd, file), typeof content === "string" ? fill(content) : content)
      }
      const config = it.config === undefined ? { hosts: known } : it.config
      if (config !== null) writeFileSync(join(cwd, "config.json"), fill(JSON.stringify(config)), { mode: 0o600 })
      const more = { ...it, env: Object.fromEntries(Object.entries(it.env ?? {}).map(([key, v]) => [key, fill(v)])) }
      for (const line of it.before ?? []) {
        const { code, err } = await start(splitArgs(line).map(fill), cwd, it.env === undefined ? {} : { env: more.env })
        if (code !== 0) throw new Error(`${line}: ${err}`)
      }
      const ran = await start(splitArgs(it.args).map(fill), cwd, {
        ...more,
        ...(it.stdin === undefined ? {} : { stdin: fill(it.stdin) })
      })
      const reader = (at: string) =>
        host === undefined ? layoutReader(at === "" ? shared : join(cwd, "own")) : registryReader(host, at)
      return {
        ran: { code: ran.code, out: hide(ran.out), err: hide(ran.err) },
        own: reader(`${name}/`),
        shared: reader(""),
        dir: cwd,
        asked: spy.asked.filter(({ path }) => path.startsWith(`/v2/${name}/`)),
        backend,
        fill
      }
    })
  return {
    runCase,
    runTool: (args) => slots(() => start(args, dir)),
    stop: async () => {
      await Promise.all(Object.values(running).map((it) => it.stop()))
      remove()
    }
  }
}
