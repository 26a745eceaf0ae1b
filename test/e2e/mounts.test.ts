/** What one image of a run brought to a registry is mounted for the next, counted in the registry's log (perf: no blob twice). */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { putImage, randomLayer } from "../../bench/content.ts"
import { must, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("mounts")
const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
let source: Running
const targets = { "docker-registry": dockerRegistry, "regctl serve": ownRegistry }

const repositories = ["one", "two", "three"]
const tags = ["a", "b", "c", "d"]
/** Two layers that all images share; each has one more, and a configuration, of its own. */
const shared = [2 * 1024 * 1024, 1000]
const own = repositories.length * tags.length * 2

beforeAll(async () => {
  source = await dockerRegistry()
  const layers = shared.map(randomLayer)
  for (const name of repositories) {
    for (const tag of tags)
      await putImage(`${source.host}/${name}`, [tag], [...layers, randomLayer(500)], `${name} ${tag}`)
  }
})
afterAll(async () => {
  await source.stop()
  dir.remove()
})

const sync = (target: Running, parallel: number) => {
  const config = {
    version: 1,
    creds: [source, target].map(({ host }) => ({ registry: host, tls: "disabled" })),
    defaults: { parallel, skipDockerConfig: true },
    sync: repositories.map((name) => ({
      source: `${source.host}/${name}`,
      target: `${target.host}/mirror/${parallel}/${name}`,
      type: "repository"
    }))
  }
  const args = [tool("regsync"), "once", "-c", "-"]
  return must(process.execPath, args, { env, cwd: dir.path, input: JSON.stringify(config) })
}

describe.each(["docker-registry", "regctl serve"] as const)("twelve images of three repositories, to %s", (name) => {
  it.each([1, 3])("travel blob by blob, each once, %d repositories at a time", async (parallel) => {
    const target = await targets[name]()
    await Promise.all([source.requests(), target.requests()])
    await sync(target, parallel)
    const [read, written] = await Promise.all([source.requests(), target.requests()])
    const count = (method: string, part: string, status: number) =>
      written.filter((it) => it.method === method && it.path.includes(part) && it.status === status).length
    assert.strictEqual(
      read.filter((it) => it.method === "GET" && it.path.includes("/blobs/")).length,
      shared.length + own
    )
    assert.strictEqual(count("PUT", "/blobs/", 201), shared.length + own)
    assert.strictEqual(count("POST", "/blobs/", 202), shared.length + own)
    assert.strictEqual(count("POST", "/blobs/", 201), shared.length * (repositories.length - 1))
    assert.strictEqual(written.filter((it) => it.method === "HEAD" && it.path.includes("/blobs/")).length, 1)
    assert.strictEqual(count("PUT", "/manifests/", 201), repositories.length * tags.length)
    const digests = await Promise.all(
      [source.host, `${target.host}/mirror/${parallel}`].map((host) =>
        must(process.execPath, [
          tool("regctl"),
          "image",
          "digest",
          ...[source, target].flatMap((it) => ["--host", `reg=${it.host},tls=disabled`]),
          `${host}/three:d`
        ], { env, cwd: dir.path })
      )
    )
    await target.stop()
    assert.strictEqual(digests[0], digests[1])
  })
})
