/** Signals: a run ends soon, with what it had begun taken back; a second signal ends it at once. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { join } from "node:path"
import { encodeOwner, self } from "../../src/lib/owner.ts"
import { addImage, blobPath, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { installed, tool } from "../support/programs.ts"
import { freePort, temporary } from "../support/registries.ts"

const dir = temporary("signals")
const at = (name: string): string => join(dir.path, name)
const env = {
  HOME: dir.path,
  REGCTL_CONFIG: at("config.json"),
  DOCKER_CONFIG: dir.path,
  DOCKER_AUTH_CONFIG: undefined,
  PATH: `${dir.path}:${process.env["PATH"]}`
}

/** A registry in which a test says what hangs. */
interface Scripted {
  readonly host: string
  readonly seen: Array<string>
  readonly stop: () => void
}

const scripted = async (answer: (line: string) => RequestListener): Promise<Scripted> => {
  const seen: Array<string> = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((incoming, response) => {
    const line = `${incoming.method} ${incoming.url}`
    seen.push(line)
    incoming.resume()
    answer(line)(incoming, response)
  })
  server.on("connection", (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    stop: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

const hang: RequestListener = () => {}
const absent: RequestListener = (_, response) => void response.writeHead(404).end()
const begun: RequestListener = (_, response) =>
  void response.writeHead(202, { Location: "/v2/app/blobs/uploads/one" }).end()
const done: RequestListener = (_, response) => void response.writeHead(204).end()

interface Started {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  /** Status, or the signal's name. */
  readonly ended: Promise<number | string | null>
}

const started = (file: string, args: ReadonlyArray<string>): Started => {
  const child = spawn(file, [...args], { cwd: dir.path, env: { ...process.env, ...env } })
  let [out, err] = ["", ""]
  child.stdout.on("data", (it: Buffer) => void (out += it.toString()))
  child.stderr.on("data", (it: Buffer) => void (err += it.toString()))
  return {
    child,
    out: () => out,
    err: () => err,
    ended: new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)))
  }
}
const regctl = (...args: ReadonlyArray<string>): Started =>
  started(process.execPath, [tool("regctl"), "--logopt", "json", ...args])

/** Waits for something another process does. */
const until = async (what: string, isTrue: () => boolean): Promise<void> => {
  for (let tries = 0; !isTrue(); tries++) {
    if (tries > 6_000) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const signals = ["SIGINT", "SIGTERM"] as const
type Signal = typeof signals[number]

/** Status 1 and the words of the contract: a run that had to be ended by its deadline says nothing. */
const canceled = async (run: Started, signal: Signal): Promise<void> => {
  run.child.kill(signal)
  assert.strictEqual(await run.ended, 1, run.err())
  const lines = run.err().trimEnd().split("\n")
  assert.strictEqual(lines.at(-1), "context canceled")
  assert.deepInclude(JSON.parse(lines.at(-2) ?? ""), { level: "ERROR", msg: "context canceled", reason: "Canceled" })
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^\d+ \([^)]*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

let image: Named
const layer = Buffer.alloc(4_000_000, "layer")

beforeAll(() => {
  makeLayout(at("source"))
  image = addImage(at("source"), [layer])
  tagAll(at("source"), {
    v1: image,
    wide: addImage(at("source"), [1, 2, 3].map((it) => Buffer.alloc(50_000, `${it}`)))
  })
})
afterAll(() => dir.remove())

/** Serves the image, with its layer's second half missing for ever. */
const half = () =>
  scripted((line) => (incoming, response) => {
    const digest = /sha256:[0-9a-f]+/.exec(line)?.[0] ?? image.digest
    const bytes = readFileSync(blobPath(at("source"), digest))
    const isManifest = line.includes("/manifests/")
    response.writeHead(200, {
      "Content-Type": isManifest ? image.mediaType : "application/octet-stream",
      "Content-Length": bytes.length,
      "Docker-Content-Digest": digest
    })
    if (incoming.method === "HEAD") response.end()
    else if (bytes.length === layer.length) response.write(bytes.subarray(0, bytes.length / 2))
    else response.end(bytes)
  })
const plain = ({ host }: Scripted) => ["--host", `reg=${host},tls=disabled`]

describe("a copy that is told to end", () => {
  it.each(signals)("P01: by %s leaves a layout as it was, without temporary files", async (signal) => {
    const registry = await half()
    const target = `into-${signal}`
    const run = regctl(...plain(registry), "image", "copy", `${registry.host}/app:v1`, `ocidir://${target}:v1`)
    const temporaryFiles = () =>
      existsSync(at(`${target}/blobs/sha256`))
        ? readdirSync(at(`${target}/blobs/sha256`)).filter((it) => it.startsWith("."))
        : []
    await until("a temporary file", () => temporaryFiles().length > 0)
    await canceled(run, signal)
    const { extra, problems, tags } = judge(at(target))
    assert.deepStrictEqual({ extra, problems, tags }, { extra: [], problems: [], tags: {} })
    registry.stop()
  })

  it.each(signals)("P01: by %s deletes its upload session", async (signal) => {
    const registry = await scripted((line) =>
      line.startsWith("POST") ? begun : line.startsWith("DELETE") ? done : line.startsWith("HEAD") ? absent : hang
    )
    const run = regctl(...plain(registry), "image", "copy", "ocidir://source:v1", `${registry.host}/app:v1`)
    await until("an upload", () => registry.seen.some((it) => /^P(?:UT|ATCH)/.test(it)))
    await canceled(run, signal)
    assert.include(registry.seen, "DELETE /v2/app/blobs/uploads/one")
    registry.stop()
  })

  it.each(
    [["SIGINT", 130], ["SIGTERM", 143]] as const
  )("P03: by a second %s ends at once with %i", async (signal, status) => {
    const registry = await scripted((line) => line.startsWith("POST") ? begun : line.startsWith("HEAD") ? absent : hang)
    const run = regctl(...plain(registry), "image", "copy", "ocidir://source:v1", `${registry.host}/app:v1`)
    await until("an upload", () => registry.seen.some((it) => /^P(?:UT|ATCH)/.test(it)))
    run.child.kill(signal)
    await until("the clean-up", () => registry.seen.some((it) => it.startsWith("DELETE")))
    run.child.kill(signal)
    assert.strictEqual(await run.ended, status)
    registry.stop()
  })

  it("P01: ends although a registry does not answer its clean-up", async () => {
    const registry = await scripted((line) => line.startsWith("POST") ? begun : line.startsWith("HEAD") ? absent : hang)
    const run = regctl(...plain(registry), "image", "copy", "ocidir://source:wide", `${registry.host}/app:v1`)
    const count = (method: RegExp) => registry.seen.filter((it) => method.test(it)).length
    await until("three uploads", () => count(/^P(?:UT|ATCH)/) >= 3)
    await canceled(run, "SIGINT")
    assert.isAtLeast(count(/^DELETE/), 3)
    registry.stop()
  })
})

describe("P04: a wait ends at once when told to", () => {
  it.each(["429", "503"])("after an answer %s that says when to try again", async (status) => {
    const registry = await scripted(() => (_, response) =>
      void response.writeHead(Number(status), { "Retry-After": "50" }).end()
    )
    const run = regctl("-v", "debug", ...plain(registry), "tag", "ls", `${registry.host}/app`)
    await until("a request", () => registry.seen.length > 0 && run.err() !== "")
    await new Promise((resolve) => setTimeout(resolve, 100))
    await canceled(run, "SIGINT")
    assert.lengthOf(registry.seen, 1)
    registry.stop()
  })

  it("for the headers of an answer", async () => {
    const registry = await scripted(() => hang)
    const run = regctl(...plain(registry), "tag", "ls", `${registry.host}/app`)
    await until("a request", () => registry.seen.length > 0)
    await canceled(run, "SIGTERM")
    registry.stop()
  })

  it("for the lock of a layout", async () => {
    makeLayout(at("locked"))
    writeFileSync(at("locked/.regclient-lock"), encodeOwner(self()))
    const run = regctl("image", "copy", "ocidir://source:v1", "ocidir://locked:v1")
    await until("the wait for the lock", () => run.err().includes("waiting for"))
    await canceled(run, "SIGINT")
    assert.deepStrictEqual(judge(at("locked")).tags, {})
  })

  it("P05: for a credential helper, which ends with all it started", async () => {
    const registry = await scripted(() => (_, response) =>
      void response.writeHead(401, { "WWW-Authenticate": "Basic realm=\"test\"" }).end()
    )
    writeFileSync(
      at("slow-helper"),
      `#!/bin/sh\nsleep 1000 &\necho "$$ $!" > "${at("pids")}.new"\nmv "${at("pids")}.new" "${at("pids")}"\nwait\n`
    )
    chmodSync(at("slow-helper"), 0o755)
    writeFileSync(
      at("config.json"),
      JSON.stringify({ hosts: { [registry.host]: { tls: "disabled", credHelper: at("slow-helper") } } }),
      { mode: 0o600 }
    )
    const run = regctl("tag", "ls", `${registry.host}/app`)
    await until("the helper", () => existsSync(at("pids")))
    await canceled(run, "SIGINT")
    const pids = readFileSync(at("pids"), "utf8").trim().split(" ").map(Number)
    assert.lengthOf(pids, 2)
    await until("the end of the helper", () => !pids.some(isAlive))
    registry.stop()
  })

  it("for input", async () => {
    const registry = await scripted(() => begun)
    for (
      const args of [["blob", "put", `${registry.host}/app`], [
        "registry",
        "login",
        registry.host,
        "-u",
        "x",
        "--pass-stdin"
      ]]
    ) {
      const run = regctl("-v", "trace", ...plain(registry), ...args)
      // More than fits between the processes: written once the other reads.
      await new Promise((resolve) => run.child.stdin?.write(Buffer.alloc(1_000_000, "x"), resolve))
      await canceled(run, "SIGINT")
    }
    registry.stop()
  })

  it("for a password, by the key as by the signal", async () => {
    const host = `127.0.0.1:${await freePort()}`
    mkdirSync(at("prompt"), { recursive: true })
    const login = `${process.execPath} ${tool("regctl")} registry login ${host} -u ada`
    const command = `${login}; status=$?; stty -a; exit $status`
    const run = started(installed("script", "bsdutils"), ["-qec", command, "/dev/null"])
    await until("the prompt", () => run.out().includes("Enter Password"))
    await new Promise((resolve) => setTimeout(resolve, 200))
    run.child.stdin?.write("secret")
    run.child.stdin?.write("\u0003")
    assert.strictEqual(await run.ended, 1, run.out())
    assert.notInclude(run.out(), "secret")
    assert.include(run.out(), "context canceled")
    // The terminal is as it was before.
    assert.match(run.out(), / icanon /)
    assert.match(run.out(), / echo /)
    return undefined
  })
})
