/** Debian's docker-registry to measure with, its storage in memory, and slow links to it. */
import type { ChildProcess } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { installed } from "../test/support/programs.ts"
import { freePort } from "../test/support/registries.ts"
import { scratch, start, stop } from "./surroundings.ts"

export interface Requests {
  readonly all: number
  /** Blobs that were sent to the registry. */
  readonly uploads: number
  /** Blobs that the registry took from another of its repositories. */
  readonly mounts: number
}

export interface Registry {
  /** host:port */
  readonly host: string
  /** Starts it again, with a log of its requests or, as it is at first, without one. Its content stays. */
  readonly restart: (isLogging: boolean) => Promise<void>
  /** The requests since the last call, of a registry that logs. */
  readonly requests: () => Promise<Requests>
  /** Removes all content. */
  readonly clear: () => void
  readonly stop: () => Promise<void>
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const answers = async (host: string): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await fetch(`http://${host}/v2/`).then((it) => it.ok, () => false)) return
    await pause(25)
  }
  throw new Error(`docker-registry at ${host} does not answer`)
}

const count = (log: string): Requests => {
  const found = [...log.matchAll(/"([A-Z]+) (\/v2\/\S*) HTTP\/1\.1" (\d+)/g)]
    .map(([, method = "", path = "", status = ""]) => ({ method, path, status }))
    .filter(({ path }) => path !== "/v2/bench-mark/tags/list")
  const created = (method: string, part: string) =>
    found.filter((it) => it.method === method && it.status === "201" && it.path.includes(part)).length
  return { all: found.length, uploads: created("PUT", "/blobs/"), mounts: created("POST", "mount=") }
}

/** A registry on loopback; `name` is that of its storage. */
export const registry = async (name: string): Promise<Registry> => {
  const program = installed("docker-registry", "docker-registry")
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const dir = join(scratch, name)
  const log = `${dir}.log`
  mkdirSync(dir, { recursive: true })
  let child: ChildProcess | undefined
  let seen = 0
  const run = async (isLogging: boolean) => {
    if (child !== undefined) await stop(child)
    const config = [
      "version: 0.1",
      `log: { level: ${isLogging ? "info" : "error"}, accesslog: { disabled: ${!isLogging} } }`,
      `storage: { filesystem: { rootdirectory: ${dir} }, delete: { enabled: true } }`,
      `http: { addr: ${host} }`
    ]
    writeFileSync(`${dir}.yml`, config.join("\n"))
    const output = isLogging ? `>${log} 2>&1` : ">/dev/null 2>&1"
    child = start(["sh", "-c", `exec "$1" serve "$2" ${output}`, "sh", program, `${dir}.yml`], { stdio: "ignore" })
    await answers(host)
    seen = isLogging ? readFileSync(log, "utf8").length : 0
  }
  await run(false)
  return {
    host,
    restart: run,
    requests: async () => {
      // The log is written after the answer: a request of our own marks where it has to reach.
      const mark = `mark=${Math.random()}`
      await fetch(`http://${host}/v2/bench-mark/tags/list?${mark}`)
      let text = ""
      for (let attempt = 0; attempt < 200 && !text.includes(mark); attempt++) {
        text = readFileSync(log, "utf8")
        await pause(10)
      }
      const requests = count(text.slice(seen).replaceAll(/^.*bench-mark.*$/gm, ""))
      seen = text.length
      return requests
    },
    clear: () => rmSync(join(dir, "docker"), { recursive: true, force: true }),
    stop: async () => {
      if (child !== undefined) await stop(child)
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

export interface Slowness {
  /** Milliseconds of a round trip. */
  readonly rtt?: number
  /** Bytes a second of each connection and direction. */
  readonly rate?: number
}

export interface Link {
  /** host:port at which the registry is found over the link. */
  readonly host: string
  readonly stop: () => Promise<void>
}

/** A slow way to a registry, in a process of its own. */
export const link = async (host: string, { rate, rtt }: Slowness): Promise<Link> => {
  const args = [`--to=${host}`, ...(rtt === undefined ? [] : [`--rtt=${rtt}`])]
  const command = [process.execPath, join(import.meta.dirname, "slowLink.ts"), ...args]
  const child = start([...command, ...(rate === undefined ? [] : [`--rate=${rate}`])], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (it: Buffer) => resolve(it.toString().trim()))
    child.once("exit", (code) => reject(new Error(`the slow link ended with ${code}`)))
  })
  return { host: `127.0.0.1:${port}`, stop: () => stop(child) }
}
