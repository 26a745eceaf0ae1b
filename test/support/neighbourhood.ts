/**
 * A program for a network namespace of its own: a registry at a public address, and what it must not lead a client to
 * at every address nearer than that. Prints, as JSON, how the tool ended for each way, and which neighbours it asked.
 */
import { execFileSync, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer, type RequestListener } from "node:http"
import { join } from "node:path"

const [tool = "", dir = ""] = process.argv.slice(2)
const registry = "93.184.216.34:5000"

export interface Met {
  readonly what: string
  readonly code: number | null
  readonly err: string
  /** Requests that a neighbour got. */
  readonly asked: ReadonlyArray<string>
}

const listening = (host: string, port: number, answer: RequestListener) =>
  new Promise<void>((resolve) => void createServer(answer).listen(port, host, resolve))

const asked: Array<string> = []
let quirk: RequestListener = (_, response) => void response.end()

const run = (args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly err: string }>((resolve) => {
    const env = { ...process.env, REGCTL_CONFIG: join(dir, "config.json"), DOCKER_CONFIG: dir, HOME: dir }
    const child = spawn(process.execPath, [tool, ...args, "--logopt", "json"], {
      env,
      stdio: ["pipe", "ignore", "pipe"]
    })
    const parts: Array<Buffer> = []
    child.stderr.on("data", (part: Buffer) => parts.push(part))
    child.on("close", (code) => resolve({ code, err: Buffer.concat(parts).toString() }))
    child.stdin.on("error", () => {})
    child.stdin.end("content")
  })

const digest = `sha256:${"a".repeat(64)}`
const blobGet = ["blob", "get", `${registry}/app`, digest]
const redirecting = (location: string): RequestListener => (request, response) =>
  request.url === "/again"
    ? void response.writeHead(302, { location: "http://169.254.169.254/x" }).end()
    : void response.writeHead(307, { location }).end()
const opening: RequestListener = (request, response) =>
  request.method === "POST"
    ? void response.writeHead(202, { location: "http://metadata.test/x" }).end()
    : void response.writeHead(404).end()
const realm: RequestListener = (_, response) =>
  void response.writeHead(401, { "www-authenticate": "Bearer realm=\"http://metadata.test/token\",service=\"s\"" })
    .end()

const content = Buffer.from("{}")
const config = `sha256:${createHash("sha256").update(content).digest("hex")}`
const foreign = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: config, size: 2 },
  layers: [{
    mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar",
    digest,
    size: 6,
    urls: ["http://metadata.test/x"]
  }]
})
const layered: RequestListener = (request, response) => {
  if (request.url?.includes("/manifests/") === true) {
    response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json")
    response.end(foreign)
  } else if (request.url?.includes(config) === true) response.end(content)
  else response.writeHead(404).end()
}

const addresses = [
  "169.254.169.254",
  "2852039166",
  "0251.0376.0251.0376",
  "0xa9fea9fe",
  "[::ffff:169.254.169.254]",
  "localhost",
  "0",
  "[::1]",
  "10.9.8.7",
  "100.100.100.200",
  "[fd00:ec2::254]",
  "metadata.test"
]
const ways: ReadonlyArray<readonly [string, RequestListener, ReadonlyArray<string>]> = [
  ...addresses.map((it) => [`redirect to ${it}`, redirecting(`http://${it}/x`), blobGet] as const),
  ["a later hop", redirecting("/again"), blobGet],
  ["an upload's location", opening, ["blob", "put", `${registry}/app`]],
  ["a realm", realm, ["tag", "ls", `${registry}/app`]],
  ["a layer's own address", layered, [
    "image",
    "copy",
    "--include-external",
    `${registry}/app:v1`,
    `ocidir://${join(dir, "layout")}:v1`
  ]]
]

const ip = (...args: ReadonlyArray<string>) => execFileSync("ip", args, { stdio: "pipe" })
ip("link", "set", "lo", "up")
for (const it of ["93.184.216.34/32", "10.9.8.7/32", "169.254.169.254/32", "100.100.100.200/32"])
  ip("addr", "add", it, "dev", "lo")
ip("-6", "addr", "add", "fd00:ec2::254/128", "dev", "lo")
mkdirSync(dir, { recursive: true })
const login = { tls: "disabled", user: "ada", pass: "l0velace" }
writeFileSync(join(dir, "config.json"), JSON.stringify({ hosts: { [registry]: login } }), { mode: 0o600 })
await listening("::", 80, (request, response) => {
  asked.push(`${request.headers.host}${request.url}`)
  response.end("secret")
})
await listening("93.184.216.34", 5000, (request, response) => quirk(request, response))

const met: Array<Met> = []
for (const [what, answer, args] of ways) {
  asked.length = 0
  quirk = answer
  const ran = await run(args)
  met.push({ what, ...ran, asked: [...asked] })
}
// That a neighbour can be reached at all: its own entry allows it.
writeFileSync(
  join(dir, "config.json"),
  JSON.stringify({ hosts: { [registry]: login, "metadata.test": { tls: "disabled" } } }),
  { mode: 0o600 }
)
asked.length = 0
quirk = redirecting("http://metadata.test/x")
met.push({ what: "allowed", ...(await run(blobGet)), asked: [...asked] })
process.stdout.write(JSON.stringify(met), () => process.exit(0))
