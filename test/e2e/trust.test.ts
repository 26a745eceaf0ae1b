/** Whom the tool believes: certificates, clients' certificates, logins kept and forgotten, proxies. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync, spawn } from "node:child_process"
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { basic, basicRegistry, type Guard, proxyTo, tlsRegistry } from "../support/guards.ts"
import { type Home, homes, lastRecord } from "../support/homes.ts"
import { unable } from "../support/privileges.ts"
import { tool } from "../support/programs.ts"
import { dockerRegistry, makeCertificates, type Running, temporary } from "../support/registries.ts"

const dir = temporary("trust")
const at = (name: string): string => join(dir.path, name)
const [user, password, proxyPassword] = ["ada", "Sec-ret:1843", "Prox-y-1843"]
const login = basic(user, password)
const proxyLogin = basic("proxy", proxyPassword)
const { home, talkative } = homes(dir.path, [
  password,
  login.slice(6),
  proxyPassword,
  proxyLogin.slice(6),
  "PRIVATE KEY"
])
const ls = (host: string) => ["tag", "ls", `${host}/app`]

let certificates: ReturnType<typeof makeCertificates>
let client: { readonly certificate: string; readonly key: string }
let secured: Running
let guarded: Guard
let tls: Guard

beforeAll(async () => {
  certificates = makeCertificates(dir.path)
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: dir.path, stdio: "pipe" })
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=ada")
  openssl(
    ..."x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out client.crt -days 2".split(" ")
  )
  client = { certificate: readFileSync(at("client.crt"), "utf8"), key: readFileSync(at("client.key"), "utf8") }
  ;[secured, guarded, tls] = await Promise.all([
    dockerRegistry({ tls: certificates, login: { user, password } }),
    basicRegistry(() => [login]),
    tlsRegistry({ cert: readFileSync(certificates.certificate), key: readFileSync(certificates.key) })
  ])
})
afterAll(async () => {
  await Promise.all([secured, guarded, tls].map((it) => it?.stop()))
  dir.remove()
})

describe("a server's certificate", () => {
  const from = (entry: object) => home({ "regctl.json": { hosts: { [tls.host]: entry } } })

  it("N03: of an unknown authority is refused, and never tried without TLS", async () => {
    const ran = await talkative(home(), ls(tls.host))
    assert.strictEqual(ran.code, 1)
    assert.strictEqual(lastRecord(ran).reason, "TlsFailed")
    const [text = "", hint] = ran.err.trimEnd().split("\n").slice(-2)
    assert.include(text, tls.host)
    assert.match(hint ?? "", /^Try trusting its authority with "regctl registry set --cacert/)
  })

  it("is believed with the authority configured, in certs.d or in SSL_CERT_FILE, or when nobody asks", async () => {
    const ways = [
      [from({ regcert: certificates.ca }), {}],
      [from({ tls: "insecure" }), {}],
      [home(), { SSL_CERT_FILE: at("ca.crt") }]
    ] as const
    for (const [place, env] of ways) {
      const ran = await talkative(place, ls(tls.host), { env })
      assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
    }
  })

  it("is believed with its authority in docker's certs.d", async (context) => {
    const directory = `/etc/docker/certs.d/${tls.host}`
    const made = ["/etc/docker", "/etc/docker/certs.d"].filter((it) => !existsSync(it))
    try {
      mkdirSync(directory, { recursive: true })
    } catch {
      return unable(context, "the right to write /etc/docker/certs.d")
    }
    try {
      writeFileSync(join(directory, "ca.crt"), certificates.ca)
      const ran = await talkative(home(), ls(tls.host))
      assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
      const without = home({ "regctl.json": { incDockerCert: false } })
      assert.strictEqual((await talkative(without, ls(tls.host))).code, 1)
    } finally {
      rmSync(directory, { recursive: true })
      for (const it of made.toReversed()) rmdirSync(it)
    }
  })

  it("N04: on a port without TLS gives the hint", async () => {
    const ran = await talkative(home(), ls(guarded.host))
    assert.strictEqual(ran.code, 1)
    assert.match(ran.err, /regctl registry set --tls disabled/)
  })
})

describe("a client's certificate", () => {
  it("is shown where it is asked for, and its key to nobody", async () => {
    const strict = await tlsRegistry({
      cert: readFileSync(certificates.certificate),
      key: readFileSync(certificates.key),
      ca: certificates.ca,
      requestCert: true,
      rejectUnauthorized: true
    })
    const place = home()
    const without = home({ "regctl.json": { hosts: { [strict.host]: { regcert: certificates.ca } } } })
    const refused = await talkative(without, ls(strict.host))
    assert.strictEqual(refused.code, 1)
    assert.strictEqual(lastRecord(refused).reason, "TlsFailed")
    const pems = ["--cacert", certificates.ca, "--client-cert", client.certificate, "--client-key", client.key]
    const set = await talkative(place, ["registry", "set", strict.host, ...pems])
    assert.strictEqual(set.code, 0, set.err)
    const ran = await talkative(place, ls(strict.host))
    assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
    assert.strictEqual((await talkative(place, ["registry", "config"])).code, 0)
    assert.strictEqual(statSync(join(place.path, "regctl.json")).mode & 0o777, 0o600)
    await strict.stop()
  })
})

describe("login, whoami and logout", () => {
  const prepared = () => home({ "regctl.json": { hosts: { [secured.host]: { regcert: certificates.ca } } } })

  it("keep a login, tell its name, and forget it", async () => {
    const place = prepared()
    const registry = (...args: ReadonlyArray<string>) => talkative(place, ["registry", ...args])
    assert.strictEqual((await registry("whoami", secured.host)).code, 1)
    const kept = await talkative(place, ["registry", "login", secured.host, "-u", user, "--pass-stdin"], {
      input: `${password}\n`
    })
    assert.strictEqual(kept.code, 0, kept.err)
    assert.strictEqual((await registry("whoami", secured.host)).out, `${user}\n`)
    assert.strictEqual((await talkative(place, ["repo", "ls", secured.host])).code, 0)
    assert.strictEqual((await registry("logout", secured.host)).code, 0)
    assert.strictEqual((await registry("whoami", secured.host)).code, 1)
    assert.notInclude(readFileSync(join(place.path, "regctl.json"), "utf8"), password)
    assert.strictEqual((await talkative(place, ["repo", "ls", secured.host])).code, 1)
  })

  it("A09: keep a login that turns out wrong, warn, and fail", async () => {
    const place = prepared()
    const ran = await talkative(place, ["registry", "login", secured.host, "-u", user, "--pass-stdin"], { input: "no" })
    assert.strictEqual(ran.code, 1)
    assert.include(ran.err, "credentials were still stored")
    assert.strictEqual(lastRecord(ran).reason, "Unauthorized")
    assert.strictEqual((await talkative(place, ["registry", "whoami", secured.host])).out, `${user}\n`)
  })
})

describe("regctl's configuration file", () => {
  const set = (place: Home, host: string) =>
    talkative(place, ["registry", "set", host, "--skip-check", "--tls", "disabled"])

  it("L13: is whole whenever somebody looks, also when writers meet or die, and stays where its link points", async () => {
    const place = home({ "real.json": { hosts: { "kept.example": { user, pass: password } } } })
    const [file, real] = [join(place.path, "regctl.json"), join(place.path, "real.json")]
    chmodSync(real, 0o640)
    symlinkSync(real, file)
    const look = () => assert.deepInclude(JSON.parse(readFileSync(file, "utf8")).hosts["kept.example"], { user })
    await Promise.all(Array.from({ length: 6 }, (_, n) => set(place, `h${n}.example`).then(look)))
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, [tool("regctl"), "registry", "set", `k${round}.example`, "--skip-check"], {
        env: { ...process.env, ...place.env },
        stdio: "ignore"
      })
      const ended = new Promise((resolve) => child.on("exit", resolve))
      setTimeout(() => child.kill("SIGKILL"), 90 + 15 * round)
      await ended
      look()
    }
    assert.strictEqual((await set(place, "last.example")).code, 0)
    assert.isTrue(lstatSync(file).isSymbolicLink())
    assert.strictEqual(statSync(real).mode & 0o777, 0o640)
    assert.include(readFileSync(real, "utf8"), "last.example")
  })

  it("L14: with logins that others can read is told once", async () => {
    const place = home({ "regctl.json": { hosts: { [guarded.host]: { tls: "disabled", user, pass: password } } } })
    chmodSync(join(place.path, "regctl.json"), 0o644)
    const ran = await talkative(place, ls(guarded.host))
    assert.strictEqual(ran.code, 0)
    assert.lengthOf(ran.err.split("\n").filter((it) => it.includes("WARN") && it.includes("regctl.json")), 1)
  })
})

describe("a proxy", () => {
  const name = "registry.test"
  const withProxy = (proxy: Guard, who = `proxy:${proxyPassword}`) => ({
    HTTP_PROXY: `http://${who}@${proxy.host}`,
    HTTPS_PROXY: `http://${who}@${proxy.host}`,
    NO_PROXY: "other.test"
  })

  it("N39: of the environment is gone through with its login, which the registry never sees", async () => {
    const proxy = await proxyTo(() => guarded.host, proxyLogin)
    const place = home({ "regctl.json": { hosts: { [name]: { tls: "disabled", user, pass: password } } } })
    guarded.seen.length = 0
    const ran = await talkative(place, ls(name), { env: withProxy(proxy) })
    assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
    assert.deepStrictEqual(proxy.seen, [
      `GET http://${name}/v2/app/tags/list in`,
      `GET http://${name}/v2/app/tags/list in`
    ])
    const refused = await talkative(place, ls(name), { env: withProxy(proxy, "proxy:wrong") })
    assert.strictEqual(refused.code, 1)
    proxy.seen.length = 0
    const around = await talkative(place, ls(name), { env: { ...withProxy(proxy), NO_PROXY: ".test" } })
    assert.strictEqual(around.code, 1)
    assert.deepStrictEqual(proxy.seen, [])
    assert.strictEqual(lastRecord(around).reason, "DnsFailed")
    await proxy.stop()
  })

  it("N39: tunnels to a registry with TLS", async () => {
    const proxy = await proxyTo(() => tls.host, proxyLogin)
    const place = home({ "regctl.json": { hosts: { [name]: { tls: "insecure" } } } })
    const ran = await talkative(place, ls(name), { env: withProxy(proxy) })
    assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
    assert.deepStrictEqual(proxy.seen, [`CONNECT ${name}:443 in`])
    const refused = await talkative(place, ls(name), { env: withProxy(proxy, "proxy:wrong") })
    assert.strictEqual(refused.code, 1)
    assert.strictEqual(lastRecord(refused).reason, "ConnectFailed")
    await proxy.stop()
  })
})
