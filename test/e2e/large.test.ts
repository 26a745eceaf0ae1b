/** A layer of 1 GiB: bounded memory, and a kill in the middle that leaves nothing half done. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createHash, randomFillSync } from "node:crypto"
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { must, run, tool } from "../support/programs.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("large")
let a: Running
let b: Running
const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
const gibibyte = 1024 * 1024 * 1024
const args = (...rest: ReadonlyArray<string>) => [
  tool("regctl"),
  ...[a, b].flatMap(({ host }) => ["--host", `reg=${host},tls=disabled`]),
  ...rest
]

/** An OCI layout with one image of one layer that no compression makes smaller. */
const largeLayout = (path: string): string => {
  mkdirSync(join(path, "blobs/sha256"), { recursive: true })
  const write = (bytes: Uint8Array) => {
    const hex = createHash("sha256").update(bytes).digest("hex")
    writeFileSync(join(path, "blobs/sha256", hex), bytes)
    return { digest: `sha256:${hex}`, size: bytes.length }
  }
  const chunk = randomFillSync(Buffer.alloc(1024 * 1024))
  const hash = createHash("sha256")
  const file = openSync(join(path, "layer"), "w")
  for (let part = 0; part < gibibyte / chunk.length; part++) {
    chunk.writeUInt32LE(part)
    hash.update(chunk)
    writeSync(file, chunk)
  }
  closeSync(file)
  const hex = hash.digest("hex")
  mkdirSync(join(path, "blobs/sha256"), { recursive: true })
  renameSync(join(path, "layer"), join(path, "blobs/sha256", hex))
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))
  const config = write(json({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } }))
  const manifest = write(json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${hex}`, size: gibibyte }]
  }))
  const annotations = { "org.opencontainers.image.ref.name": "v1" }
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest, annotations }
  writeFileSync(join(path, "index.json"), json({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(path, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }))
  return manifest.digest
}

/** The most memory a process had, in bytes, asked of the kernel while it runs. */
const peakOf = (pid: number): number => {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

let digest: string
beforeAll(async () => {
  ;[a, b] = await Promise.all([dockerRegistry(), dockerRegistry()])
  digest = largeLayout(join(dir.path, "image"))
  await must(process.execPath, args("image", "copy", "ocidir://image:v1", `${a.host}/large:v1`), { env, cwd: dir.path })
}, 300_000)
afterAll(async () => {
  await Promise.all([a, b].map((it) => it?.stop()))
  dir.remove()
})

describe("a layer of 1 GiB", () => {
  it(
    "killed in the middle of its copy leaves no tag, and the same command then succeeds in less than 220 MiB",
    async () => {
      const copy = args("image", "copy", `${a.host}/large:v1`, `${b.host}/large:v1`)
      const killed = spawn(process.execPath, copy, {
        env: { ...process.env, ...env } as NodeJS.ProcessEnv,
        stdio: "ignore"
      })
      await a.requests()
      // In the middle: the source has begun to answer the blob's request, which it logs only at its end.
      for (let waited = 0; waited < 200 && killed.exitCode === null; waited++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        if (/^rchar:\s+(\d+)/m.test(io(killed.pid ?? 0)) && received(killed.pid ?? 0) > 100 * 1024 * 1024) break
      }
      assert.isNull(killed.exitCode)
      killed.kill("SIGKILL")
      await new Promise((resolve) => killed.once("exit", resolve))
      const absent = await run(process.execPath, args("image", "digest", `${b.host}/large:v1`), { env })
      assert.strictEqual(absent.code, 1)

      const child = spawn(process.execPath, copy, {
        env: { ...process.env, ...env } as NodeJS.ProcessEnv,
        stdio: "ignore"
      })
      let peak = 0
      const sampling = setInterval(() => {
        peak = Math.max(peak, peakOf(child.pid ?? 0))
      }, 20)
      const code = await new Promise((resolve) => child.once("exit", resolve))
      clearInterval(sampling)
      assert.strictEqual(code, 0)
      assert.isAbove(peak, 0)
      assert.isBelow(peak, 220 * 1024 * 1024)
      assert.strictEqual(
        (await must(process.execPath, args("image", "digest", `${b.host}/large:v1`), { env })).trim(),
        digest
      )
    },
    300_000
  )
})

const io = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/io`, "utf8")
  } catch {
    return ""
  }
}

/** Bytes a process has read, from sockets too. */
const received = (pid: number): number => Number(/^rchar:\s+(\d+)/m.exec(io(pid))?.[1] ?? 0)
