/**
 * A known password, tokens and keys in every command of the three tools and in every failure, at trace level: nothing
 * that is printed, logged, reported or left in a file has them, in any encoding.
 */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Node, Tool } from "../../src/programs/cli/command.ts"
import { regbot } from "../../src/programs/regbot/main.ts"
import { regctl } from "../../src/programs/regctl/main.ts"
import { regsync } from "../../src/programs/regsync/main.ts"
import { seed, type Seeded } from "../support/copies.ts"
import { type Daemon, daemon, until } from "../support/daemons.ts"
import { toolHere } from "../support/inProcess.ts"
import { type Ran, tool } from "../support/programs.ts"
import { type Answer, json, type Quirk, quirky, type Started } from "../support/quirky.ts"
import { freePort, makeCertificates, temporary } from "../support/registries.ts"
import { filesBelow, formsOf, hides } from "../support/secrets.ts"

const user = "keeper"
const password = `p&ss"wo\\rd+/=~4711`
const identity = "idtoken.Zm9v-identity_0815"
const token = "bearer.Q9x7-token_value/+31337=="
const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
const proxyPassword = "proxy-p4ssw0rd-2718"
const pageToken = "page-t0ken-for-runs-1618"
const basic = Buffer.from(`${user}:${password}`).toString("base64")

const secrets = [password, `${user}:${password}`, identity, token, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", proxyPassword]
const hidden = hides(secrets)

const dir = temporary("secrets")
const at = (name: string) => join(dir.path, name)
let registry: Started
let image: Seeded
/** What the registry has been told so far, which it may tell on. */
const known = new Set<string>()
let serving: ReadonlyArray<Daemon> = []
let fault: Quirk = () => undefined

/** Everything the registry knows, in the forms that a server would have it in. */
const echo = (): string =>
  [...known].flatMap((it) => [
    it,
    encodeURIComponent(it),
    JSON.stringify(it),
    Buffer.from(it).toString("base64"),
    Buffer.from(it).toString("base64url"),
    Buffer.from(it).toString("hex")
  ]).join(" ")

const header = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?")

/** A registry with tokens for the password or the identity token. */
const withLogin: Quirk = (asked, proper) => {
  const authorization = asked.headers.authorization ?? ""
  if (authorization.startsWith("Basic ")) {
    known.add(password)
    known.add(`${user}:${password}`)
  }
  if (asked.body.includes("refresh_token")) known.add(identity)
  const faulty = fault(asked, proper)
  if (faulty !== undefined) return faulty
  if (asked.url.pathname === "/token") {
    const isIn = authorization === `Basic ${basic}` || asked.body.toString().includes(encodeURIComponent(identity))
    if (!isIn) return json(401, { errors: [] })
    known.add(token)
    return json(200, { token, access_token: token, expires_in: 300 })
  }
  if (authorization === `Bearer ${token}`) return undefined
  const realm = `Bearer realm="http://${registry.host}/token",service="test",scope="repository:app:pull,push"`
  return { status: 401, headers: { "www-authenticate": realm } }
}

const entry = () => ({ tls: "disabled", user, pass: password, clientKey: key })
const write = (name: string, content: unknown): string => {
  writeFileSync(at(name), typeof content === "string" ? content : JSON.stringify(content))
  return at(name)
}

beforeAll(async () => {
  registry = await quirky()
  registry.quirk = withLogin
  image = seed(registry.repository("app"), "v1", 1, 200_000)
  for (const name of ["tmp", "out"]) mkdirSync(at(name))
  process.env["TMPDIR"] = at("tmp")
})
beforeEach(() => {
  known.clear()
  fault = () => undefined
})
afterAll(async () => {
  for (const it of serving) it.signal("SIGKILL")
  await registry.stop()
  dir.remove()
})

const leaves = (node: Node, path: ReadonlyArray<string> = []): ReadonlyArray<string> =>
  node._tag === "Leaf"
    ? [[...path, node.name].join(" ")]
    : node.children.flatMap((child) => leaves(child, [...path, node.name]))

const tools: Readonly<Record<string, Tool>> = { regctl, regsync, regbot }

/** `app` is the repository, `v1` its image; what a case writes has a name of its own. */
const cases = (): Readonly<Record<string, ReadonlyArray<string> | "server">> => {
  const { host } = registry
  const app = `${host}/app`
  const [first = "", second = ""] = image.images
  const config = { regsync: ["-c", at("regsync.yml")], regbot: ["-c", at("regbot.yml")] }
  return {
    "regctl artifact get": [`${app}:files`],
    "regctl artifact list": [`${app}:v1`],
    "regctl artifact put": ["-f", at("file"), `${app}:files`],
    "regctl artifact tree": [`${app}:v1`],
    "regctl blob copy": [app, `${host}/other`, image.small],
    "regctl blob delete": [app, `sha256:${"0".repeat(64)}`],
    "regctl blob diff-config": [app, image.small, app, image.large],
    "regctl blob diff-layer": [app, image.small, app, image.large],
    "regctl blob get": [app, image.small],
    "regctl blob get-file": [app, image.small, "etc/passwd"],
    "regctl blob head": [app, image.small],
    "regctl blob put": [app],
    "regctl cli-doc": [],
    ...Object.fromEntries(
      Object.keys(tools).flatMap((name) =>
        ["bash", "fish", "powershell", "zsh"].map((shell) => [`${name} completion ${shell}`, []])
      )
    ),
    "regctl config get": [],
    "regctl config set": ["--blob-limit", "5000000"],
    "regctl digest": [],
    "regctl docker install": ["--dir", at("cli-plugins")],
    "regctl image check-base": [`${app}:v1`, "--base", `${app}:v1`],
    "regctl image copy": [`${app}:v1`, `${host}/copied:v1`],
    "regctl image create": [`${host}/made:v1`],
    "regctl image delete": [`${app}@${image.index.replace(/.{4}$/, "0000")}`],
    "regctl image digest": [`${app}:v1`],
    "regctl image export": [`${app}:v1`, at("out/app.tar")],
    "regctl image get-file": [`${app}:v1`, "etc/passwd"],
    "regctl image import": [`${host}/imported:v1`, at("out/app.tar")],
    "regctl image inspect": ["-p", "linux/amd64", `${app}:v1`],
    "regctl image manifest": [`${app}:v1`],
    "regctl image mod": [`${app}:v1`, "--create", "modified", "--annotation", "a=b"],
    "regctl image ratelimit": [`${app}:v1`],
    "regctl index add": [`${host}/list:v1`, "--ref", `${app}:v1`],
    "regctl index create": [`${host}/list:v1`, "--ref", `${app}:v1`],
    "regctl index delete": [`${host}/list:v1`, "--platform", "linux/amd64"],
    "regctl manifest delete": [`${app}@${image.index.replace(/.{4}$/, "0000")}`],
    "regctl manifest diff": [`${app}@${first}`, `${app}@${second}`],
    "regctl manifest get": [`${app}:v1`, "--format", "raw"],
    "regctl manifest head": [`${app}:v1`, "--format", "raw-headers"],
    "regctl manifest put": [`${app}:put`],
    "regctl ref": [app],
    "regctl registry config": [host],
    "regctl registry login": [host, "-u", user, "-p", password],
    "regctl registry logout": [host],
    "regctl registry set": [host, "--client-key", key],
    "regctl registry whoami": [host],
    "regctl repo copy": [app, `${host}/all`],
    "regctl repo ls": [host],
    "regctl serve": "server",
    "regctl tag delete": [`${app}:gone`],
    "regctl tag ls": [app],
    "regctl version": [],
    "regsync check": config.regsync,
    "regsync cli-doc": [],
    "regsync config": [...config.regsync, "--redact"],
    "regsync once": [...config.regsync, "--report", at("out/report.jsonl"), "--output", "json"],
    "regsync server": "server",
    "regsync version": [],
    "regbot cli-doc": [],
    "regbot once": config.regbot,
    "regbot server": "server",
    "regbot version": []
  }
}

/** Runs a command as in a world of its own and looks at everything it leaves. */
const quiet = async (
  command: string,
  more: ReadonlyArray<string> = [],
  login: object = entry(),
  env: Readonly<Record<string, string>> = {}
): Promise<Ran> => {
  const args = cases()[command]
  assert.isArray(args, command)
  const [name = "", ...words] = command.split(" ")
  const found = tools[name]
  assert.isDefined(found)
  if (found === undefined || typeof args === "string" || args === undefined) throw new Error(command)
  const config = write("regctl.json", { hosts: { [registry.host]: login } })
  write("file", "content\n")
  const creds = `version: 1\ncreds:\n- ${JSON.stringify({ registry: registry.host, ...login })}\n`
  write(
    "regsync.yml",
    `${creds}defaults: { skipDockerConfig: true, interval: 1s }\nsync:\n- { source: "${registry.host}/app:v1", target: "${registry.host}/synced:v1", type: image }\n`
  )
  write(
    "regbot.yml",
    `${creds}defaults: { skipDockerConfig: true, interval: 1s }\nscripts:\n- name: list\n  script: |\n    local ok, e = pcall(tag.ls, "${registry.host}/app")\n    if not ok then log(e) end\n    image.copy("${registry.host}/app:v1", "${registry.host}/bot:v1")\n`
  )
  const input = command === "regctl manifest put"
    ? registry.repository("app").manifests.get(image.index)?.bytes.toString() ?? ""
    : "content\n"
  const all = [...words, ...args, ...more, "-v", "trace", "--logopt", "json"]
  const ran = await toolHere(found, all, { config, input, env, times: 1000 })
  hidden(`${ran.out}\n${ran.err}`, all.join(" "))
  // The files of configuration are where secrets belong.
  for (const [path, text] of filesBelow(dir.path)) {
    if (!/\/(?:regctl\.json|reg(?:sync|bot)\.yml|broken|ca\.key|server\.key)$/.test(path))
      hidden(text, `${all.join(" ")}: ${path}`)
  }
  return ran
}

const commands = Object.entries(tools).flatMap(([, { root }]) => leaves(root))
const several = [
  "regctl tag ls",
  "regctl image copy",
  "regctl blob put",
  "regctl repo ls",
  "regsync once",
  "regbot once"
]

describe("secrets", () => {
  it("have a case for every command", () => {
    assert.deepStrictEqual(Object.keys(cases()).toSorted(), commands.toSorted())
  })

  it("are shown by no command that works", async () => {
    const failed: Array<string> = []
    for (const [command, args] of Object.entries(cases())) {
      if (args === "server") continue
      const { code, err } = await quiet(command)
      if (code !== 0) failed.push(`${command}: ${err.trimEnd().split("\n").at(-1)}`)
    }
    // Most of them do work.
    assert.isBelow(failed.length, 14, failed.join("\n"))
    assert.include([...known], token)
  })

  it("are shown by no command that is refused by a registry that tells all it knows", async () => {
    fault = (asked) =>
      asked.url.pathname === "/token" || asked.headers.authorization === undefined ? undefined : {
        status: 403,
        headers: { "content-type": "application/json", warning: `299 - "${echo().replaceAll(/["\\]/g, "\\$&")}"` },
        body: JSON.stringify({ errors: [{ code: "DENIED", message: echo(), detail: asked.headers }] })
      }
    for (const [command, args] of Object.entries(cases())) if (args !== "server") await quiet(command)
    assert.include([...known], token)
  })

  const told = (status: number, more: Answer["headers"] = {}): Answer => ({
    status,
    headers: { "content-type": "application/json", "x-told": header(echo()), ...more },
    body: `${echo()} ${[...known].join(" ")}`
  })
  const isLoggedIn = (asked: { readonly headers: { readonly authorization?: string | undefined } }) =>
    asked.headers.authorization?.startsWith("Bearer ") === true
  const failures: ReadonlyArray<readonly [string, Quirk]> = [
    ["a login that is refused", ({ url }) => url.pathname === "/token" ? told(401) : undefined],
    ["a token service that fails", ({ url }) => url.pathname === "/token" ? told(500) : undefined],
    ["a token service that answers with what it got", ({ url }) => url.pathname === "/token" ? told(200) : undefined],
    [
      "a token service that redirects",
      ({ url }) =>
        url.pathname === "/token" ? told(307, { location: `/other?pass=${encodeURIComponent(password)}` }) : undefined
    ],
    ["a token that is never good", (asked) =>
      isLoggedIn(asked)
        ? told(401, { "www-authenticate": `Bearer realm="http://${registry.host}/token",error="${header(token)}"` })
        : undefined],
    ["an error of the registry", (asked) => isLoggedIn(asked) ? told(500) : undefined],
    ["a limit", (asked) => isLoggedIn(asked) ? told(429, { "retry-after": "100000" }) : undefined],
    ["a redirect to another host", (asked) =>
      isLoggedIn(asked)
        ? told(307, { location: `http://other.invalid/x?sig=${encodeURIComponent(token)}` })
        : undefined],
    [
      "a redirect with a login",
      (asked) => isLoggedIn(asked) ? told(307, { location: `http://${user}:${token}@other.invalid/x` }) : undefined
    ],
    [
      "a redirect to a name that is a secret",
      (asked) => isLoggedIn(asked) ? told(307, { location: `/v2/${token}/${encodeURIComponent(token)}` }) : undefined
    ],
    ["content that is no document", (asked) => isLoggedIn(asked) ? told(200) : undefined],
    ["names of digests and types that are secrets", (asked) =>
      isLoggedIn(asked)
        ? told(200, { "docker-content-digest": header(token), "content-type": token, link: `<${token}>; rel="next"` })
        : undefined],
    [
      "an encoding that is a secret",
      (asked) => isLoggedIn(asked) ? told(200, { "content-encoding": header(token) }) : undefined
    ],
    ["a connection that ends", (asked) => isLoggedIn(asked) ? "drop" : undefined]
  ]
  it.each(failures)("are not shown after %s", async (_, failing) => {
    fault = failing
    for (const command of several) await quiet(command)
    // With an identity token in place of the password.
    const login = { tls: "disabled", user, token: identity }
    await quiet("regctl tag ls", [], login)
    await quiet("regctl image copy", [], login)
  })

  it("are not shown when TLS fails, with a key that is none, or by a proxy that is not there", async () => {
    for (const command of several) {
      assert.strictEqual((await quiet(command, [], { ...entry(), tls: "enabled" })).code, 1)
    }
    const env = { HTTP_PROXY: `http://${user}:${proxyPassword}@127.0.0.1:1`, NO_PROXY: "" }
    for (const command of several) await quiet(command, [], entry(), env)
  })

  const broken: ReadonlyArray<readonly [string, string, string]> = [
    ["regsync", "an alias that is not there", `creds:\n- {registry: r, user: u, pass: *${identity}}\n`],
    ["regsync", "a quote that is not closed", `creds:\n- registry: r\n  user: u\n  pass: "${identity}\n`],
    ["regsync", "a value of a wrong type", `creds:\n- registry: r\n  pass: [ ${identity} ]\n`],
    ["regsync", "a bad indentation", `creds:\n- registry: r\n  pass: ${identity}\n user: u\n`],
    ["regsync", "a template that fails", `creds:\n- registry: r\n  pass: "${identity}{{ nothing }}"\n`],
    ["regbot", "a quote that is not closed", `creds:\n- registry: r\n  token: '${identity}\n`],
    ["regbot", "a value of a wrong type", `creds:\n- registry: r\n  token: {a: ${identity}}\n`],
    ["regctl", "a missing comma", `{"hosts":{"r":{"user":"u" "pass":"${identity}"}}}`],
    ["regctl", "a string that is not closed", `{"hosts":{"r":{"user":"u","pass":"${identity}}}}`],
    ["regctl", "a value of a wrong type", `{"hosts":{"r":{"user":"u","pass":["${identity}"]}}}`]
  ]
  it.each(broken)("are not shown of a file of %s with %s", async (name, _, text) => {
    const config = write("broken", text)
    const found = tools[name]
    if (found === undefined) throw new Error(name)
    const args = name === "regctl" ? ["tag", "ls", "r/app"] : ["once", "-c", config]
    const { code, err, out } = await toolHere(found, [...args, "-v", "trace", "--logopt", "json"], { config })
    hidden(`${out}\n${err}`, text)
    assert.strictEqual(code, 1)
  })

  it("are not shown by servers, their logs, pages and metrics", async () => {
    const { certificate, key } = makeCertificates(dir.path)
    const pem = readFileSync(key, "utf8").split("\n")[3] ?? ""
    const hiddenHere = hides([...secrets, pem, pageToken])
    fault = (asked) => isLoggedIn(asked) && asked.method !== "HEAD" ? told(403) : undefined
    for (const name of ["synced", "bot"]) registry.repositories.delete(name)
    await quiet("regsync once")
    await quiet("regbot once")
    const trace = ["-v", "trace", "--logopt", "json"]
    const ports = await Promise.all([freePort(), freePort(), freePort()])
    write("users", `${user}:${"$2y$05$"}${"a".repeat(53)}\n`)
    const commands = [
      [tool("regsync"), "server", "-c", at("regsync.yml"), "--listen", `127.0.0.1:${ports[0]}`],
      [tool("regbot"), "server", "-c", at("regbot.yml"), "--listen", `127.0.0.1:${ports[1]}`],
      [
        tool("regctl"),
        "serve",
        "--addr",
        `127.0.0.1:${ports[2]}`,
        "--htpasswd",
        at("users"),
        "--tls-cert",
        certificate,
        "--tls-key",
        key
      ]
    ]
    serving = commands.map((it) => daemon(at("out"), [process.execPath, ...it, ...trace]))
    const read = async (url: string): Promise<string> => {
      const response = await fetch(url, { headers: { authorization: `Basic ${basic}` } }).catch(() => undefined)
      return response === undefined ? "" : `${JSON.stringify([...response.headers])}${await response.text()}`
    }
    const signs = ["[http 403]", "[http 403]", "listening on"]
    await until(
      "the first runs",
      () => serving.every((it, at) => it.err().includes(signs[at] ?? ""))
    )
    for (const port of ports) {
      for (
        const path of ["", "metrics", "api/status", "healthz", "readyz"]
      ) {
        hiddenHere(await read(`http://127.0.0.1:${port}/${path}`), path)
      }
    }
    for (const it of serving) it.signal("SIGUSR1")
    for (const it of serving) it.signal("SIGTERM")
    await Promise.all(serving.map(({ ended }) => ended))
    for (const it of serving) hiddenHere(it.err(), "the log of a server")
    for (const [path, text] of filesBelow(at("out"))) hiddenHere(text, path)
  })

  it("are recognised by this test in every form", () => {
    for (const form of formsOf(password)) assert.throws(() => hidden(`x ${form} y`, "a form"))
  })
})
