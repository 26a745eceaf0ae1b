/** `regsync` where registries fail and where it is killed: all is copied in the end, and no tag ever names something incomplete. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { seed } from "../support/copies.ts"
import { regsync, until } from "../support/daemons.ts"
import { judge } from "../support/layouts.ts"
import { digestOf, lacking, problem, type Quirk, quirky, type Started } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("regsync")
let source: Started
let target: Started
let salt = 0

beforeAll(async () => {
  ;[source, target] = await Promise.all([quirky(), quirky()])
})
afterEach(() => {
  for (const it of [source, target]) {
    it.quirk = () => undefined
    it.repositories.clear()
    it.forget()
  }
})
afterAll(async () => {
  await Promise.all([source, target].map((it) => it.stop()))
  dir.remove()
})

const tags = ["v1", "v2", "v3", "v4", "v5"]

/** Another image of its own under a tag of the source. */
const renew = (name: string, tag: string): string =>
  seed(source.repository(name), tag, salt += 10, 200_000 + salt).index

const entry = (name: string, to: string, more = "") =>
  `- { source: "${source.host}/${name}", target: "${to}", type: repository${more} }`

/** Writes a configuration of these entries; silence is noticed soon, but where it is what a test is about. */
const write = (file: string, ...entries: ReadonlyArray<string>): string => {
  const timeouts = file === "stuck.yml" ? "priority: 0" : "timeouts: { headers: 700ms, commit: 700ms, stall: 700ms }"
  const path = join(dir.path, file)
  writeFileSync(
    path,
    [
      "creds:",
      ...[source, target].map(({ host }) => `- { registry: "${host}", tls: disabled, ${timeouts} }`),
      "defaults: { skipDockerConfig: true, parallel: 2 }",
      "sync:",
      ...entries
    ].join("\n")
  )
  return path
}

/** Each tag of the target is that of the source, and all there is below it is what its digest says. */
const isSame = (name: string): void => {
  const { blobs, manifests, tags } = target.repository(name)
  assert.deepStrictEqual([...tags].toSorted(), [...source.repository(name).tags].toSorted())
  for (const digest of tags.values()) assert.deepStrictEqual(lacking({ blobs, manifests, tags }, digest), [])
  for (const [digest, content] of blobs) assert.strictEqual(digestOf(content), digest)
  for (const [digest, { bytes }] of manifests) assert.strictEqual(digestOf(bytes), digest)
}

/** Every tenth connection is lost, half of them once the request was served; the rate is limited and there is silence now and then. */
const unsteady = (): Quirk => {
  let count = 0
  const met = new Map<string, number>()
  return (asked, proper) => {
    const n = ++count
    const key = `${asked.method} ${asked.url.pathname}`
    const fault = n % 10 === 0 ? "drop" : n % 25 === 7 ? "limit" : n % 40 === 13 ? "silence" : undefined
    const before = met.get(key) ?? 0
    // A request is tried five times: one that fails each time is another test.
    if (fault === undefined || before >= 2) return undefined
    met.set(key, before + 1)
    if (fault === "limit") return problem(429, "TOOMANYREQUESTS", { "retry-after": "1" })
    if (fault === "drop" && n % 20 === 0) proper()
    return fault
  }
}

describe("a target that drops connections, limits the rate and falls silent", () => {
  it("has everything after one run, and nothing is sent by a second", async () => {
    for (const tag of tags) renew("app", tag)
    const file = write("once.yml", entry("app", `${target.host}/app`))
    target.quirk = unsteady()
    const run = regsync(dir.path, ["once", "-c", file])
    assert.strictEqual(await run.ended, 0, run.err())
    isSame("app")
    assert.deepStrictEqual(target.incomplete, [])
    target.forget()
    const again = regsync(dir.path, ["once", "-c", file])
    assert.strictEqual(await again.ended, 0, again.err())
    assert.deepStrictEqual(target.lines().filter((it) => it.startsWith("P")), [])
  }, 60_000)

  it("is kept in step by a server, which reads its configuration again and ends without an error", async () => {
    for (const tag of tags) renew("app", tag)
    renew("other", "v1")
    const app = entry("app", `${target.host}/app`, ", interval: 1s")
    const file = write("server.yml", app)
    target.quirk = unsteady()
    const server = regsync(dir.path, ["-v", "debug", "server", "-c", file])
    const has = (name: string, tag: string, digest: string | undefined) =>
      target.repository(name).tags.get(tag) === digest
    await until("the first pass", () => tags.every((tag) => has("app", tag, source.repository("app").tags.get(tag))))
    const newer = renew("app", "v3")
    await until("the newer image", () => has("app", "v3", newer))
    write("server.yml", app, entry("other", `${target.host}/other`, ", schedule: \"0 0 1 1 *\""))
    server.signal("SIGHUP")
    await until("the new entry", () => has("other", "v1", source.repository("other").tags.get("v1")))
    writeFileSync(file, "sync: [")
    server.signal("SIGHUP")
    await until("the word about a bad configuration", () => server.err().includes("Failed to reload configuration"))
    server.signal("SIGUSR1")
    await until("the answer to SIGUSR1", () => server.err().includes("entries: 2 configured, "))
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 0, server.err())
    isSame("app")
    isSame("other")
    assert.deepStrictEqual(target.incomplete, [])
    const said = (text: string) => server.err().split("\n").filter((it) => it.includes(text)).length
    assert.deepStrictEqual(
      ["msg=\"Configuration reloaded\"", "msg=\"Stopping server\"", "msg=\"Waiting on running tasks\""].map(said),
      [1, 1, 1]
    )
  }, 60_000)
})

describe("a server that is asked to show itself", () => {
  it("does so where its command line says, until it ends", async () => {
    renew("shown", "v1")
    const file = write("shown.yml", entry("shown", `${target.host}/shown`, ", schedule: \"0 0 1 1 *\""))
    const server = regsync(dir.path, ["server", "-c", file, "--listen", "127.0.0.1:0"])
    await until("the address", () => server.err().includes("Status server listening"))
    const [, address = ""] = /Status server listening" address=(\S+)/.exec(server.err()) ?? []
    await until("the first pass", async () => (await fetch(`${address}/readyz`)).status === 200)
    assert.include(await (await fetch(`${address}/metrics`)).text(), "regsync_ready 1\n")
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 0, server.err())
  })
})

describe("a run that is told to end in the middle of a copy", () => {
  it("P01: takes back what it began, fails, and reports what it did before", async () => {
    for (const tag of ["v1", "v2"]) renew("app", tag)
    const file = write("stuck.yml", entry("app", `${target.host}/app`))
    target.quirk = ({ method }) =>
      target.repository("app").tags.size > 0 && (method === "PUT" || method === "PATCH") ? "silence" : undefined
    const run = regsync(dir.path, ["once", "-c", file, "--report", "cut.jsonl"])
    await until(
      "an upload of the second",
      () => target.repository("app").tags.size === 1 && /^P(?:UT|ATCH) .*uploads/.test(target.lines().at(-1) ?? "")
    )
    run.signal("SIGTERM")
    assert.strictEqual(await run.ended, 1)
    const records = readFileSync(join(dir.path, "cut.jsonl"), "utf8").trimEnd().split("\n").map((it) => JSON.parse(it))
    assert.deepStrictEqual(
      records.map(({ copied, interrupted, outcome, type }) => [type, outcome ?? copied, interrupted]),
      [["pair", "copied", undefined], ["summary", 1, true]]
    )
  })
})

describe("an entry that leaves the configuration of a server", () => {
  it("is not gone on with after the image at work", async () => {
    for (const tag of tags) renew("app", tag)
    const file = write("gone.yml", entry("app", `${target.host}/app`, ", interval: 1h"))
    // Each image takes longer than the configuration.
    target.quirk = ({ method, url }, proper) =>
      method === "PUT" && /manifests\/v\d$/.test(url.pathname) ? { ...proper(), delay: 600 } : undefined
    const server = regsync(dir.path, ["server", "-c", file])
    await until("the first image", () => target.repository("app").tags.size === 1)
    write("gone.yml")
    server.signal("SIGHUP")
    await until("the reload", () => server.err().includes("Configuration reloaded"))
    let asked = 0
    await until("the end of the run", () => {
      if (asked++ % 50 === 0) server.signal("SIGUSR1")
      return server.err().includes("entries: 0 configured, 0 at work")
    })
    assert.isBelow(target.repository("app").tags.size, tags.length)
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 0, server.err())
  })
})

describe("a server that is told to end in the middle of a copy", () => {
  const begin = async (answersDelete: boolean) => {
    renew("app", "v1")
    const file = write("stuck.yml", entry("app", `${target.host}/app`, ", interval: 1h"))
    target.quirk = ({ method }) =>
      method === "PUT" || method === "PATCH" || (method === "DELETE" && !answersDelete) ? "silence" : undefined
    const server = regsync(dir.path, ["server", "-c", file])
    await until("an upload", () => target.lines().some((it) => /^P(?:UT|ATCH)/.test(it)))
    return server
  }

  it("P02: takes back what it began and ends without an error", async () => {
    const server = await begin(true)
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 0, server.err())
    assert.isTrue(target.lines().some((it) => it.startsWith("DELETE")))
    assert.deepStrictEqual([...target.repository("app").tags], [])
  })

  it("waits for its end though nothing is due", async () => {
    const server = regsync(dir.path, ["server", "-c", write("idle.yml", entry("app", `${target.host}/app`))])
    await until("the word about the schedule", () => server.err().includes("No schedule or interval found, ignoring"))
    server.signal("SIGHUP")
    await until("the reload", () => server.err().includes("Configuration reloaded"))
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 0, server.err())
  })

  it("P03: ends at once by a second signal", async () => {
    const server = await begin(false)
    server.signal("SIGTERM")
    await until("the clean-up", () => target.lines().some((it) => it.startsWith("DELETE")))
    server.signal("SIGTERM")
    assert.strictEqual(await server.ended, 143)
  })
})

describe("a run that is killed", () => {
  it("leaves every tag whole, and one more run brings all of it", async () => {
    const layout = join(dir.path, "layout")
    const file = write("killed.yml", entry("app", `${target.host}/app`), entry("app", `ocidir://${layout}`))
    const ever = new Map(tags.map((tag) => [tag, new Set([renew("app", tag)])]))
    const whole = () => {
      const { problems, tags } = judge(layout)
      assert.deepStrictEqual(problems, [], `killed at requests ${moments.join(" ")}`)
      for (const [tag, digest] of Object.entries(tags)) assert.isTrue(ever.get(tag)?.has(digest), tag)
      assert.deepStrictEqual(target.incomplete, [])
    }
    const moments: Array<number> = []
    let killed = 0
    for (let round = 0; round < 20; round++) {
      for (const tag of tags.slice(round % 3, round % 3 + 3)) ever.get(tag)?.add(renew("app", tag))
      const run = regsync(dir.path, ["once", "-c", file])
      let left = 1 + Math.floor(Math.random() * 70)
      moments.push(left)
      const count = () => {
        if (--left === 0) run.signal("SIGKILL")
        return undefined
      }
      source.quirk = count
      target.quirk = count
      if (await run.ended === "SIGKILL") killed++
      whole()
    }
    assert.isAbove(killed, 10)
    source.quirk = () => undefined
    target.quirk = () => undefined
    const last = regsync(dir.path, ["once", "-c", file])
    assert.strictEqual(await last.ended, 0, last.err())
    whole()
    isSame("app")
    const { extra, tags: copied } = judge(layout)
    assert.deepStrictEqual(copied, Object.fromEntries(source.repository("app").tags))
    assert.deepStrictEqual(extra, [])
  }, 120_000)
})
