/** The embedded registry where no more can be written: on a full file system, and above a limit of the system (R18). */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { contentOf, contentSets } from "../support/contents.ts"
import { asking, opened, patch, ways, withDigest } from "../support/distribution.ts"
import { unable } from "../support/privileges.ts"
import { ownRegistry, temporary } from "../support/registries.ts"

const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).status === 0

interface Place {
  readonly name: string
  /** What runs before the registry and then becomes it. */
  readonly starter: (dir: string) => ReadonlyArray<string>
  readonly isPossible: boolean
  readonly status: number
  readonly code: string
}

const places: ReadonlyArray<Place> = [
  {
    name: "where files may have 1 MiB",
    // In blocks of 512 bytes.
    starter: () => ["sh", "-c", `ulimit -f 2048 && exec "$@"`, "sh"],
    isPossible: true,
    status: 500,
    code: "UNKNOWN"
  },
  {
    name: "on a file system of 2 MiB",
    starter: (dir) => ["unshare", "-rm", "sh", "-c", `mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"`, dir],
    isPossible: canMount,
    status: 503,
    code: "UNAVAILABLE"
  }
]

describe.each(places)("a registry $name", ({ code, isPossible, starter, status }) => {
  it("refuses what does not fit, keeps nothing of it, and goes on", async (context) => {
    if (!isPossible) return unable(context, "the right to mount")
    const dir = temporary("full")
    const registry = await ownRegistry(["--dir", dir.path], starter(dir.path))
    try {
      const ask = asking(() => registry.host)
      const large = contentOf("x".repeat(3 * 1024 * 1024), "application/octet-stream")
      const { digest } = large.descriptor
      for (let round = 0; round < 3; round++) {
        const whole = await ask("POST", withDigest("/v2/a/blobs/uploads/", digest), large.bytes)
        assert.deepStrictEqual([whole.status, whole.codes], [status, [code]])
        const location = await opened(ask, "a")
        const part = await patch(ask, location, large.bytes, 0)
        assert.deepStrictEqual([part.status, part.codes], [status, [code]])
        assert.strictEqual((await ask("GET", location)).headers.get("range"), "0-0")
        const last = await ask("PUT", withDigest(location, digest), large.bytes)
        assert.deepStrictEqual([last.status, last.codes], [status, [code]])
      }
      assert.strictEqual((await ask("HEAD", `/v2/a/blobs/${digest}`)).status, 404)

      const [image] = contentSets
      for (const blob of image?.blobs ?? []) assert.strictEqual((await ways[1]?.[1](ask, "a", blob))?.status, 201)
      for (const { bytes, descriptor } of image?.manifests ?? []) {
        const pushed = await ask("PUT", "/v2/a/manifests/v1", bytes, { "content-type": descriptor.mediaType })
        assert.strictEqual(pushed.status, 201)
        assert.isTrue((await ask("GET", "/v2/a/manifests/v1")).bytes.equals(bytes))
      }
      assert.notInclude(registry.log(), "internal error")
    } finally {
      await registry.stop()
      dir.remove()
    }
  })
})
