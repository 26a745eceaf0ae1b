/** Real registries to test against: Debian's docker-registry and the project's own, each with a log of its requests. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { installed, tool } from "./programs.ts"

export interface Request {
  readonly method: string
  readonly path: string
  readonly status: number
}

export interface Running {
  /** host:port */
  readonly host: string
  /** The requests answered since the last call, in the order of their answers. */
  readonly requests: () => Promise<ReadonlyArray<Request>>
  readonly stop: () => Promise<void>
}

export const temporary = (name: string): { readonly path: string; readonly remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), `regclient-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

interface Login {
  readonly user: string
  readonly password: string
}

export interface RegistryOptions {
  readonly login?: Login
  /** PEM files of the server. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

const stopped = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGTERM")
    setTimeout(() => child.kill("SIGKILL"), 5_000).unref()
  })

/** Waits until something listens; a child that ended instead is a failure with its output. */
const ready = async (child: ChildProcess, port: number, output: () => string): Promise<void> => {
  const { connect } = await import("node:net")
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the registry ended: ${output()}`)
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1")
      socket.once("connect", () => (socket.destroy(), resolve(true)))
      socket.once("error", () => resolve(false))
    })
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the registry does not answer: ${output()}`)
}

const settingsOf = (dir: string, port: number, { login, tls }: RegistryOptions): string => {
  const lines = [
    "version: 0.1",
    "log: { level: info, formatter: json, accesslog: { disabled: false } }",
    "storage:",
    `  filesystem: { rootdirectory: ${dir}/data }`,
    "  delete: { enabled: true }",
    "http:",
    `  addr: 127.0.0.1:${port}`
  ]
  if (tls !== undefined) lines.push(`  tls: { certificate: ${tls.certificate}, key: ${tls.key} }`)
  if (login !== undefined) {
    const line = execFileSync(installed("htpasswd", "apache2-utils"), ["-nbB", login.user, login.password]).toString()
    writeFileSync(`${dir}/htpasswd`, line)
    lines.push(`auth: { htpasswd: { realm: test, path: ${dir}/htpasswd } }`)
  }
  return lines.join("\n")
}

/** Debian's docker-registry 2.8 with filesystem storage and deletion on. */
export const dockerRegistry = async (options: RegistryOptions = {}): Promise<Running> => {
  const program = installed("docker-registry", "docker-registry")
  const { path: dir, remove } = temporary("registry")
  const port = await freePort()
  writeFileSync(`${dir}/config.yml`, settingsOf(dir, port, options))
  const child = spawn(program, ["serve", `${dir}/config.yml`], { stdio: ["ignore", "pipe", "pipe"] })
  let log = ""
  child.stdout.on("data", (it: Buffer) => {
    log += it.toString()
  })
  child.stderr.on("data", (it: Buffer) => {
    log += it.toString()
  })
  await ready(child, port, () => log)
  let seen = 0
  const requests = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const lines = [...log.slice(seen).matchAll(/"([A-Z]+) (\/v2\/\S*) HTTP\/1\.1" (\d+)/g)]
    seen = log.length
    return lines.map(([, method = "", path = "", status]) => ({ method, path, status: Number(status) }))
  }
  return {
    host: `127.0.0.1:${port}`,
    requests,
    stop: async () => {
      await stopped(child)
      remove()
    }
  }
}

/**
 * `regctl serve`, with arguments of its own where a test needs them, and started by a command that becomes it, such as
 * a shell that lowers a limit.
 */
export const ownRegistry = async (
  args: ReadonlyArray<string> = [],
  starter: ReadonlyArray<string> = []
): Promise<Running & { readonly log: () => string }> => {
  const serve = [process.execPath, tool("regctl"), "-v", "info", "serve", "--addr", "127.0.0.1:0", ...args]
  const [file = process.execPath, ...rest] = [...starter, ...serve]
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] })
  let log = ""
  const port = await new Promise<number>((resolve, reject) => {
    const read = (it: Buffer) => {
      log += it.toString()
      const found = /listening on https?:\/\/[^\s:]+:(\d+)/.exec(log)
      if (found !== null) resolve(Number(found[1]))
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.once("exit", () => reject(new Error(`regctl serve ended: ${log}`)))
  })
  let seen = 0
  const requests = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const lines = [...log.slice(seen).matchAll(/ msg="([A-Z]+) (\/v2\/\S*)" status=(\d+)/g)]
    seen = log.length
    return lines.map(([, method = "", path = "", status]) => ({ method, path, status: Number(status) }))
  }
  return { host: `127.0.0.1:${port}`, requests, log: () => log, stop: () => stopped(child) }
}

/** A certificate authority of one's own and a certificate for 127.0.0.1 and localhost. */
export const makeCertificates = (
  dir: string
): { readonly ca: string; readonly certificate: string; readonly key: string } => {
  const openssl = (...args: ReadonlyArray<string>) =>
    execFileSync("openssl", [...args], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] })
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-subj",
    "/CN=test authority",
    "-days",
    "2"
  )
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    "server.key",
    "-out",
    "server.csr",
    "-subj",
    "/CN=localhost"
  )
  writeFileSync(join(dir, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
  openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-out",
    "server.crt",
    "-days",
    "2",
    "-extfile",
    "names"
  )
  return {
    ca: readFileSync(join(dir, "ca.crt"), "utf8"),
    certificate: join(dir, "server.crt"),
    key: join(dir, "server.key")
  }
}
