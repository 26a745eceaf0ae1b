/** The built tool as a process: faults that need its own clock, its own sockets, names and certificates. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { join } from "node:path"
import { isClear, seed } from "../support/copies.ts"
import { type Ran, run, tool } from "../support/programs.ts"
import { lacking, problem, quirky, type Started } from "../support/quirky.ts"
import { freePort, makeCertificates, temporary } from "../support/registries.ts"
import { always, both, first, is } from "../support/rows.ts"

const dir = temporary("network")
let source: Started
let target: Started
let secured: Started
let silent: Server
let silentHost: string
let transport = "own"
let image: ReturnType<typeof seed>
const config = join(dir.path, "config.json")

const regctl = (...args: ReadonlyArray<string>): Promise<Ran> =>
  run(process.execPath, [tool("regctl"), "--logopt", "json", ...args], {
    env: {
      REGCTL_CONFIG: config,
      DOCKER_CONFIG: dir.path,
      DOCKER_AUTH_CONFIG: undefined,
      REGCLIENT_TRANSPORT: transport
    },
    cwd: dir.path
  })
const copy = (...args: ReadonlyArray<string>) =>
  regctl("image", "copy", ...args, `${source.host}/app:v1`, `${target.host}/app:v1`)
const entry = {
  tls: "disabled",
  timeouts: { connect: "300ms", headers: "300ms", commit: "300ms", stall: "300ms" }
}

beforeAll(async () => {
  const certificates = makeCertificates(dir.path)
  ;[source, target, secured] = await Promise.all([
    quirky(),
    quirky(),
    quirky({ cert: readFileSync(certificates.certificate, "utf8"), key: readFileSync(certificates.key, "utf8") })
  ])
  silent = createServer((socket) => socket.on("error", () => {}))
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
  const address = silent.address()
  silentHost = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
  image = seed(source.repository("app"), "v1")
  seed(secured.repository("app"), "v1")
  writeFileSync(
    config,
    JSON.stringify({
      hosts: {
        [source.host]: entry,
        [target.host]: entry,
        [silentHost]: entry,
        [secured.host]: { regcert: certificates.ca, timeouts: entry.timeouts }
      }
    }),
    { mode: 0o600 }
  )
})
afterAll(async () => {
  await Promise.all([source, target, secured].map((it) => it?.stop()))
  silent.close()
  dir.remove()
})

const quiet = () => {
  for (const it of [source, target, secured]) {
    it.quirk = () => undefined
    it.forget()
  }
  target.repositories.clear()
}
const fails = ({ code, err, out }: Ran, expected: RegExp, reason: string) => {
  assert.strictEqual(code, 1, err)
  assert.strictEqual(out, "")
  isClear(err)
  assert.match(err, expected)
  const record = JSON.parse(err.split("\n").findLast((line) => line.startsWith("{\"time\"")) ?? "{}")
  assert.deepStrictEqual([record.level, record.reason], ["ERROR", reason])
}

describe.each(["own", "node"])("the tool over its transport `%s`", (name) => {
  beforeAll(() => void (transport = name))

  it("names host and port that nobody listens at (N01)", async () => {
    const port = await freePort()
    fails(
      await regctl("--host", `reg=127.0.0.1:${port},tls=disabled`, "tag", "ls", `127.0.0.1:${port}/app`),
      new RegExp(`127\\.0\\.0\\.1:${port}.*connection refused`),
      "ConnectFailed"
    )
  })

  it("names a host that has no address (N02)", async () => {
    fails(await regctl("tag", "ls", "nowhere.invalid/app"), /nowhere\.invalid/, "DnsFailed")
  })

  it("never speaks http to a host meant for https (N03, N04)", async () => {
    quiet()
    const ran = await regctl("--host", `reg=${source.host},tls=enabled`, "tag", "ls", `${source.host}/app`)
    assert.strictEqual(ran.code, 1)
    assert.match(ran.err, /server gave HTTP response to HTTPS client/)
    assert.deepStrictEqual(source.lines(), [])
  })

  it("gives up on a host that accepts and says nothing (N08)", async () => {
    fails(
      await regctl("tag", "ls", `${silentHost}/app`),
      new RegExp(`${silentHost}.*(?:timeout|timed out|no response|headers)`, "i"),
      "Timeout"
    )
  })

  it("follows a redirect neither to http nor to this machine's neighbours (N23, N24)", async () => {
    quiet()
    secured.quirk = always(is("GET", /\/blobs\//), {
      status: 307,
      headers: { location: `http://${source.host}/x?sig=s3cret` }
    })
    const ran = await regctl("blob", "get", `${secured.host}/app`, image.small)
    fails(ran, /redirect from an https to non-https server is not allowed/, "RedirectRefused")
    assert.notInclude(ran.err, "s3cret")
    assert.deepStrictEqual(source.lines(), [])
  })

  it("gets over a connection that is dropped at every tenth request, at a limit, and at 500", async () => {
    quiet()
    let count = 0
    source.quirk = () => ++count % 10 === 0 ? "drop" : undefined
    target.quirk = both(
      first(1, is("PUT", /\/manifests\/v1/), problem(429, "TOOMANYREQUESTS", { "retry-after": "1" })),
      first(1, is("POST", /./), { status: 500 }),
      () => ++count % 10 === 0 ? "drop" : undefined
    )
    const { code, err, out } = await copy()
    assert.strictEqual(code, 0, err)
    assert.strictEqual(out, `${target.host}/app:v1\n`)
    assert.strictEqual(target.repository("app").tags.get("v1"), image.index)
    assert.deepStrictEqual(lacking(target.repository("app"), image.index), [])
  })

  it("says the reason for machines (N14)", async () => {
    quiet()
    source.quirk = always(is("GET", /\/manifests\//), problem(429, "TOOMANYREQUESTS", { "retry-after": "900" }))
    const { code, err } = await copy()
    assert.strictEqual(code, 1)
    const [record = "", text = ""] = err.split("\n")
    const { level, msg, reason } = JSON.parse(record)
    assert.deepStrictEqual({ level, reason }, { level: "ERROR", reason: "RateLimited" })
    assert.match(text, /rate limit exceeded \[http 429\].*try again in 900 s/)
    assert.include(msg, "try again in 900 s")
    assert.isFalse(target.repository("app").tags.has("v1"))
  })

  it("shows at no level what a signature or a login is", async () => {
    quiet()
    const secret = Buffer.from("ada:l0velace").toString("base64")
    source.quirk = (it) =>
      it.headers.authorization === `Basic ${secret}`
        ? it.target.includes("/blobs/") && !it.target.includes("sig=")
          ? { status: 307, headers: { location: `${it.target}?sig=s3cret` } }
          : undefined
        : { status: 401, headers: { "www-authenticate": "Basic realm=\"r\"" } }
    const { code, err } = await copy("-v", "trace", "--host", `reg=${source.host},tls=disabled,user=ada,pass=l0velace`)
    assert.strictEqual(code, 0, err)
    assert.include(err, "HTTP request")
    for (const word of ["l0velace", secret, "s3cret"]) assert.notInclude(err, word)
  })
})
