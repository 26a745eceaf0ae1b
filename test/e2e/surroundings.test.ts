/** What the machine around the tools does: readers that leave, clocks that jump, text that looks like a program. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { addBlob, addImage, makeLayout, tagAll } from "../support/layouts.ts"
import { must, run, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("surroundings")
afterAll(() => dir.remove())
const env = { HOME: dir.path, REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path }
const node = (...args: ReadonlyArray<string>) => run(process.execPath, args, { env })

describe("a reader that leaves", () => {
  it("ends the run quietly with status 1 (L05)", async () => {
    const path = join(dir.path, "large")
    makeLayout(path)
    const layer = addBlob(path, randomBytes(8 * 1024 * 1024))
    tagAll(path, { v1: addImage(path, [layer]) })
    const ended = await new Promise<{ readonly code: number | null; readonly err: string }>((resolve) => {
      const child = spawn(process.execPath, [tool("regctl"), "blob", "get", `ocidir://${path}`, layer.digest], {
        env: { ...process.env, ...env }
      })
      let err = ""
      child.stderr.on("data", (it: Buffer) => void (err += it.toString()))
      child.stdout.once("data", () => child.stdout.destroy())
      child.on("close", (code) => resolve({ code, err }))
    })
    assert.deepStrictEqual(ended, { code: 1, err: "" })
  })
})

/** Every look at the clock is a day off, in turns before and behind. */
const jumping = `data:text/javascript,${
  encodeURIComponent("const now = Date.now; let n = 0; Date.now = () => now() + (n++ % 2 === 0 ? 864e5 : -864e5)")
}`

describe("a clock that jumps", () => {
  it("makes no wait longer or shorter (L17)", async () => {
    const asked: Array<number> = []
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: []
    })
    const server = createServer((_, response) => {
      asked.push(performance.now())
      if (asked.length === 1) return void response.writeHead(429, { "Retry-After": "1" }).end()
      response.writeHead(200, { "Content-Type": "application/vnd.oci.image.index.v1+json" }).end(manifest)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const got = await node(
      "--import",
      jumping,
      tool("regctl"),
      "--host",
      `reg=${host},tls=disabled`,
      "manifest",
      "get",
      "--format",
      "raw-body",
      `${host}/app:v1`
    )
    server.close()
    assert.deepStrictEqual([got.code, got.out], [0, manifest])
    assert.strictEqual(asked.length, 2)
    assert.isAtLeast((asked[1] ?? 0) - (asked[0] ?? 0), 990)
  })
})

describe("content that looks like a template", () => {
  it("is shown as it is (K11)", async () => {
    const text = `{{ env "HOME" }}{{ file "/etc/passwd" }}`
    const ref = `ocidir://${join(dir.path, "text")}:v1`
    await must(process.execPath, [
      tool("regctl"),
      "image",
      "create",
      ref,
      "--annotation",
      `a=${text}`,
      "--label",
      `l=${text}`
    ], { env })
    const shown = await Promise.all([
      node(tool("regctl"), "manifest", "get", ref, "--format", "{{ .Annotations.a }}"),
      node(tool("regctl"), "image", "inspect", ref, "--format", "{{ .Config.Labels.l }}")
    ])
    assert.deepStrictEqual(shown.map(({ out }) => out.trimEnd()), [text, text])
  })
})
