/**
 * The main job in a minute, against the registry that comes with regctl: make a multi-platform image, push it, copy it
 * to another repository and to a directory, and see that a second copy moves nothing. Leaves nothing behind.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const regctlPath = join(import.meta.dirname, "../dist/regctl.js")
const scratch = mkdtempSync(join(tmpdir(), "regctl-quickstart-"))
const env = {
  ...process.env,
  REGCTL_CONFIG: join(scratch, "config.json"),
  DOCKER_CONFIG: scratch,
  DOCKER_AUTH_CONFIG: ""
}

const say = (text: string) => process.stdout.write(`${text}\n`)
const title = (text: string) => say(`\n── ${text} ${"─".repeat(Math.max(3, 76 - text.length))}`)

/** Runs regctl, fails loudly, gives back what it printed. */
const quietly = (args: ReadonlyArray<string>, input: string | Uint8Array = ""): string => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [regctlPath, ...args], { cwd: scratch, env, input })
  if (status !== 0) throw new Error(`regctl ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`)
  return stdout.toString()
}

/** The same, shown as one would type it. */
const regctl = (...args: ReadonlyArray<string>): string => {
  say(`$ regctl ${args.map((it) => /[\s{}]/.test(it) ? `'${it}'` : it).join(" ")}`)
  const out = quietly(args)
  if (out.trim() !== "") say(out.trimEnd().replaceAll(/^/gm, "  "))
  return out
}

const server = spawn(process.execPath, [regctlPath, "-v", "info", "serve", "--addr", "127.0.0.1:0"], {
  env,
  stdio: ["ignore", "ignore", "pipe"]
})
let log = ""
const started = new Promise<string>((resolve, reject) => {
  server.stderr.on("data", (it: Buffer) => {
    log += it.toString()
    const found = /listening on http:\/\/(\S+)/.exec(log)
    if (found?.[1] !== undefined) resolve(found[1])
  })
  server.once("exit", () => reject(new Error(`regctl serve ended: ${log}`)))
})

/** The requests the registry has answered since the last call, such as `HEAD /v2/…`. */
let seen = 0
const requests = async (): Promise<ReadonlyArray<string>> => {
  await new Promise((resolve) => setTimeout(resolve, 150))
  const lines = [...log.slice(seen).matchAll(/ msg="([A-Z]+) (\S+)" status=(\d+)/g)]
  seen = log.length
  return lines.map(([, method, path, status]) => `${method} ${path} → ${status}`)
}

/** A tar archive of one small file: a header block, the content, two empty blocks. */
const tarOf = (name: string, content: string): Buffer => {
  const header = Buffer.alloc(512)
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, "0")
  const fields: ReadonlyArray<readonly [number, string]> = [
    [0, name],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\u000000"]
  ]
  for (const [at, text] of fields) header.write(text, at, "latin1")
  header.write(`${octal(header.reduce((sum, byte) => sum + byte, 0), 7)}\0 `, 148, "latin1")
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512)
  body.write(content)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** Pushes an image of one layer for one platform and gives back its descriptor. */
const pushImage = (repository: string, architecture: string) => {
  const tar = tarOf("hello.txt", `hello from linux/${architecture}\n`)
  const layer = gzipSync(tar)
  const config = Buffer.from(JSON.stringify({
    architecture,
    os: "linux",
    config: { Cmd: ["/hello"], Labels: { purpose: "quick start" } },
    rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
    history: [{ created_by: "quickstart" }]
  }))
  const push = (mediaType: string, bytes: Buffer) => ({
    mediaType,
    digest: quietly(["blob", "put", repository], bytes).trim(),
    size: bytes.length
  })
  const mediaType = "application/vnd.oci.image.manifest.v1+json"
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: push("application/vnd.oci.image.config.v1+json", config),
    layers: [push("application/vnd.oci.image.layer.v1.tar+gzip", layer)]
  }))
  const digest = quietly(["manifest", "put", "--by-digest", repository], manifest).trim()
  say(`  linux/${architecture}  ${digest}`)
  return { mediaType, digest, size: manifest.length, platform: { os: "linux", architecture } }
}

const main = async () => {
  const host = await started
  title(`A registry on ${host}`)
  say("$ regctl serve --addr 127.0.0.1:0")
  quietly(["registry", "set", "--tls", "disabled", "--skip-check", host])

  title("A small image for two platforms, made and pushed here")
  const manifests = ["amd64", "arm64"].map((architecture) => pushImage(`${host}/demo/hello`, architecture))
  const mediaType = "application/vnd.oci.image.index.v1+json"
  quietly(["manifest", "put", `${host}/demo/hello:v1`], JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  regctl("manifest", "get", `${host}/demo/hello:v1`)

  title("Copied to a second repository: blobs are mounted, not sent")
  await requests()
  regctl("image", "copy", `${host}/demo/hello:v1`, `${host}/mirror/hello:v1`)
  for (const line of await requests()) say(`  ${line}`)

  title("Copied again: two questions, nothing moved")
  regctl("image", "copy", `${host}/demo/hello:v1`, `${host}/mirror/hello:v1`)
  const again = await requests()
  for (const line of again) say(`  ${line}`)
  if (again.length !== 2 || again.some((line) => !line.startsWith("HEAD ")))
    throw new Error("the second copy asked for more")

  title("Copied to a directory, in the OCI image layout")
  regctl("image", "copy", `${host}/mirror/hello:v1`, "ocidir://hello:v1")

  title("What is there")
  regctl("repo", "ls", host)
  regctl("tag", "ls", `${host}/mirror/hello`)
  const digests = [`${host}/demo/hello:v1`, `${host}/mirror/hello:v1`, "ocidir://hello:v1"].map((ref) =>
    regctl("image", "digest", ref)
  )
  if (new Set(digests).size !== 1) throw new Error("the digests differ")
  regctl(
    "image",
    "inspect",
    "--platform",
    "linux/arm64",
    "--format",
    "{{.OS}}/{{.Architecture}} {{index .Config.Labels \"purpose\"}}",
    "ocidir://hello:v1"
  )

  title("Done")
  say("One digest in three places. The registry and its files are gone; nothing was left behind.\n")
}

main().catch((error: unknown) => {
  process.stderr.write(`quick start failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}).finally(() => {
  const clean = () => rmSync(scratch, { recursive: true, force: true })
  if (server.exitCode !== null) return clean()
  server.removeAllListeners("exit").once("exit", clean)
  server.kill("SIGTERM")
})
