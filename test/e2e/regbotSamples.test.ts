/**
 * The examples of regbot, run first with `--dry-run`, then for real. The registry `localhost:5000` of the examples is
 * Debian's docker-registry, with deletion on; `docker.io` and `localhost:5001` are others of the same kind.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseAllDocuments } from "yaml"
import { daysAgo, digestAt, putBuild, putDocument, putIndex, putReferrer, tagsAt } from "../support/builds.ts"
import { contentOf, types } from "../support/contents.ts"
import type { Places } from "../support/guides.ts"
import type { Ran } from "../support/programs.ts"
import { example, records, regbot, said } from "../support/regbots.ts"
import { dockerRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("samples")
let near: Running
let hub: Running
let places: Places

beforeAll(async () => {
  ;[near, hub] = await Promise.all([dockerRegistry(), dockerRegistry()])
  places = [
    ["  - registry: docker.io\n", `  - {registry: docker.io, hostname: "${hub.host}", tls: disabled}\n`],
    ["localhost:5000", near.host],
    ["localhost:5001", hub.host]
  ]
})
afterAll(async () => {
  await Promise.all([near, hub].map((it) => it?.stop()))
  dir.remove()
})

const writes = async () => {
  const all = await Promise.all([near.requests(), hub.requests()])
  return all.flat().filter(({ method }) => !["GET", "HEAD"].includes(method)).map(({ method, path }) =>
    `${method} ${path}`
  )
}

/** Copies files of the examples into the directory of the tests. */
const install = (names: ReadonlyArray<string>) => {
  for (const name of names) {
    mkdirSync(dirname(join(dir.path, name)), { recursive: true })
    writeFileSync(join(dir.path, name), example(name, places))
  }
}

/** Runs an example dry, which writes nothing, then for real. */
const both = async (
  name: string,
  env: Readonly<Record<string, string>> = {},
  config = "-"
): Promise<{ readonly dry: Ran; readonly real: Ran }> => {
  const input = example(name, places)
  await writes()
  const dry = await regbot(dir.path, ["once", "--dry-run"], input, env, config)
  assert.strictEqual(dry.code, 0, dry.err)
  assert.deepStrictEqual(await writes(), [])
  const real = await regbot(dir.path, ["once"], input, env, config)
  assert.strictEqual(real.code, 0, real.err)
  return { dry, real }
}

describe("newest-minors.yml", () => {
  it("mirrors the newest three minor versions, compared as versions", async () => {
    const digests: Record<string, string> = {}
    for (const tag of ["3.2", "3.9", "3.10", "3.11", "3.12", "3.12.1", "3", "latest", "edge"]) {
      const { descriptor } = await putBuild(hub.host, "library/alpine", { tags: [tag], labels: { of: tag } })
      digests[tag] = descriptor.digest
    }
    for (const tag of ["9.1", "12.0"]) await putBuild(hub.host, "library/debian", { tags: [tag], labels: { of: tag } })
    const { real } = await both("newest-minors.yml")
    assert.deepStrictEqual(said(real.err), [
      "mirroring library/alpine 3.10",
      "mirroring library/alpine 3.11",
      "mirroring library/alpine 3.12",
      "mirroring library/debian 9.1",
      "mirroring library/debian 12.0"
    ])
    assert.deepStrictEqual(await tagsAt(near.host, "library/alpine"), ["3.10", "3.11", "3.12"])
    assert.deepStrictEqual(await tagsAt(near.host, "library/debian"), ["12.0", "9.1"])
    assert.strictEqual(await digestAt(near.host, "library/alpine", "3.10"), digests["3.10"])
  })

  it("fails when there is nothing to mirror", async () => {
    const input = example("newest-minors.yml", places).replace("library/debian", "library/nothing")
    await putBuild(hub.host, "library/nothing", { tags: ["latest"] })
    const { code, err } = await regbot(dir.path, ["once"], input)
    assert.strictEqual(code, 1)
    assert.match(
      err,
      /level=WARN msg="Error running script" script="newest minor versions" error="<string>:\d+: no minor/
    )
  })
})

describe("dated-mirror.yml", () => {
  it("mirrors the newest three dates and deletes older ones from the mirror", async () => {
    const tags = ["testing-20240101", "testing-20240108", "testing-20240115", "testing-20240122", "testing", "stable-1"]
    for (const tag of tags) await putBuild(hub.host, "library/debian", { tags: [tag], labels: { of: tag } })
    for (const tag of ["testing-20231201", "testing-20240101", "own"]) {
      await putBuild(near.host, "library/debian", { tags: [tag], labels: { of: tag } })
    }
    const before = await tagsAt(near.host, "library/debian")
    const { dry } = await both("dated-mirror.yml")
    assert.match(dry.err, / msg="Delete tag" script="dated mirror" image=127\S+:testing-20231201 dry-run=true/)
    assert.deepStrictEqual(
      await tagsAt(near.host, "library/debian"),
      [...before.filter((it) => !it.startsWith("testing")), "testing-20240108", "testing-20240115", "testing-20240122"]
        .toSorted()
    )
  })
})

describe("old-builds.yml", () => {
  it("deletes builds by the time in their label, in a zone that is not UTC", async () => {
    const label = "org.opencontainers.image.created"
    const build = (tag: string, created: string) =>
      putBuild(near.host, "ci/app", { tags: [tag], labels: { [label]: created, of: tag } })
    // Local time in Kiritimati is fourteen hours ahead of UTC: in its wall time the first is 30 days old already.
    await build("build-29", daysAgo(29.7))
    await build("build-30", daysAgo(30.1))
    await build("build-300", daysAgo(300))
    await build("release-300", daysAgo(300.5))
    await putBuild(near.host, "ci/app", { tags: ["build-unknown"] })
    const { real } = await both("old-builds.yml", { TZ: "Pacific/Kiritimati" })
    assert.deepStrictEqual(await tagsAt(near.host, "ci/app"), ["build-29", "build-unknown", "release-300"])
    assert.strictEqual(said(real.err).length, 2)
  })

  it("keeps in a zone behind UTC what is not 30 days old there either", async () => {
    const label = "org.opencontainers.image.created"
    await putBuild(near.host, "ci/app", { tags: ["build-30.2"], labels: { [label]: daysAgo(30.2) } })
    await both("old-builds.yml", { TZ: "America/Los_Angeles" })
    assert.deepStrictEqual(await tagsAt(near.host, "ci/app"), ["build-29", "build-unknown", "release-300"])
  })
})

describe("retention.yml", () => {
  it("keeps the newest of each kind and leaves what is of no kind", async () => {
    const version = (tag: string) => putBuild(near.host, "team/app", { tags: [tag], labels: { of: tag } })
    for (const tag of ["v1.2.9", "v1.2.10", "v1.2.11", "v1.2.8", "v2.0.0", "v2.0.1", "latest", "v1"]) await version(tag)
    for (const age of [1, 2, 3, 4, 5, 6, 7]) {
      await putBuild(near.host, "team/app", { tags: [`main-${age}f${10 - age}`], created: daysAgo(age) })
    }
    await putBuild(near.host, "team/app", { tags: ["pr-7"], created: daysAgo(20) })
    await putBuild(near.host, "team/app", { tags: ["pr-12"], created: daysAgo(10) })
    const { dry } = await both("retention.yml")
    assert.deepStrictEqual(
      [...dry.err.matchAll(/ msg="Delete tag" script=retention image=\S+\/team\/app:(\S+) dry-run=true/g)]
        .map(([, tag]) => tag).toSorted(),
      ["main-6f4", "main-7f3", "pr-7", "v1.2.8"]
    )
    assert.deepStrictEqual(await tagsAt(near.host, "team/app"), [
      "latest",
      "main-1f9",
      "main-2f8",
      "main-3f7",
      "main-4f6",
      "main-5f5",
      "pr-12",
      "v1",
      "v1.2.10",
      "v1.2.11",
      "v1.2.9",
      "v2.0.0",
      "v2.0.1"
    ])
  })
})

describe("promote.yml", () => {
  it("copies what has passed its tests, with signatures and referrers, and nothing else", async () => {
    const build = (tag: string, tests: string) =>
      putBuild(near.host, "staging/app", { tags: [tag], labels: { "org.example.tests": tests, of: tag } })
    const passed = await build("v1.0.0", "passed")
    await build("v1.1.0", "failed")
    await build("nightly", "passed")
    const { digest } = passed.descriptor
    await putBuild(near.host, "staging/app", { tags: [`${digest.replace(":", "-")}.sig`], labels: { of: "signature" } })
    const { real } = await both("promote.yml")
    assert.deepStrictEqual(await tagsAt(hub.host, "release/app"), [`${digest.replace(":", "-")}.sig`, "v1.0.0"])
    assert.strictEqual(await digestAt(hub.host, "release/app", "v1.0.0"), digest)
    assert.deepStrictEqual(said(real.err), [`released v1.0.0 as ${digest}`, "v1.1.0 has not passed its tests"])
  })
})

describe("cleanup.yml", () => {
  it("deletes old tags of all repositories, but protected ones and what has no time", async () => {
    const repository = "zoo/app"
    const [amd64, arm64] = [
      await putBuild(near.host, repository, { tags: [], created: daysAgo(90), labels: { for: "amd64" } }),
      await putBuild(near.host, repository, { tags: [], created: daysAgo(90), architecture: "arm64" })
    ]
    await putIndex(near.host, repository, "old-index", { arm64, amd64 })
    await putBuild(near.host, repository, { tags: ["old", "latest", "v1.2.3"], created: daysAgo(31) })
    await putBuild(near.host, repository, { tags: ["new"], created: daysAgo(29) })
    await putBuild(near.host, repository, { tags: ["timeless"] })
    const subject = await putBuild(near.host, repository, { tags: ["signed"], created: daysAgo(1) })
    const referrer = await putReferrer(near.host, repository, subject, "application/vnd.example.signature")
    await putDocument(near.host, repository, "artifact", referrer)
    await putDocument(
      near.host,
      repository,
      "empty-index",
      contentOf(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests: [] }), types.index)
    )
    const { dry, real } = await both("cleanup.yml")
    assert.include(dry.err, ` image=${near.host}/${repository}:old dry-run=true`)
    assert.deepStrictEqual(await tagsAt(near.host, repository), [
      "artifact",
      "empty-index",
      "latest",
      "new",
      "signed",
      "timeless",
      "v1.2.3"
    ])
    assert.match(said(real.err).at(-1) ?? "", /^tags deleted: 2, kept: \d+$/)
  })
})

describe("untagged.yml", () => {
  it("deletes what no tag has named for a week, and no part of what is tagged", async () => {
    const repository = "team/app"
    const state = join(dir.path, "untagged-team-app.json")
    const seen = (): Readonly<Record<string, number>> => JSON.parse(readFileSync(state, "utf8"))
    const [old, part, fresh] = [
      await putBuild(near.host, repository, { tags: ["moving"], labels: { of: "old" } }),
      await putBuild(near.host, repository, { tags: ["part"], labels: { of: "part" } }),
      await putBuild(near.host, repository, { tags: [], labels: { of: "fresh" } })
    ]
    const digest = old.descriptor.digest
    await both("untagged.yml")
    assert.strictEqual(seen()[digest], 0)

    await putDocument(near.host, repository, "moving", fresh)
    await putIndex(near.host, repository, "index", { amd64: part })
    await putDocument(near.host, repository, "part", fresh)
    await both("untagged.yml")
    assert.isAbove(seen()[digest] ?? 0, 0)
    assert.strictEqual(await digestAt(near.host, repository, digest), digest)

    const week = Object.fromEntries(
      Object.entries(seen()).map(([it, since]) => [it, since === 0 ? 0 : since - 604_800])
    )
    writeFileSync(state, JSON.stringify(week))
    await both("untagged.yml")
    assert.isNull(await digestAt(near.host, repository, digest))
    assert.strictEqual(await digestAt(near.host, repository, part.descriptor.digest), part.descriptor.digest)
    assert.strictEqual(await digestAt(near.host, repository, "moving"), fresh.descriptor.digest)
    await both("untagged.yml")
    assert.isUndefined(seen()[digest])
  })
})

describe("shared/regbot.yml", () => {
  it("runs scripts in files, which share a module", async () => {
    const build = (tag: string) => putBuild(near.host, "shared/app", { tags: [tag], labels: { of: tag } })
    for (const tag of ["v1.9.0", "v1.10.2", "v1.10.1", "v2.0.0", "v1"]) await build(tag)
    for (const tag of ["build-7", "build-8", "build-9", "build-10", "build-11", "build-12"]) await build(tag)
    const newest = await digestAt(near.host, "shared/app", "v1.10.2")
    install(["shared/regbot.yml", "shared/builds.lua", "shared/releases.lua", "shared/modules/images.lua"])
    const { dry } = await both(
      "shared/regbot.yml",
      { LUA_PATH: "shared/modules/?.lua" },
      "shared/regbot.yml"
    )
    assert.deepStrictEqual(said(dry.err), ["builds deleted: 1"])
    assert.deepStrictEqual(await tagsAt(near.host, "shared/app"), [
      "build-10",
      "build-11",
      "build-12",
      "build-8",
      "build-9",
      "v1",
      "v1.10.1",
      "v1.10.2",
      "v1.9.0",
      "v2",
      "v2.0.0"
    ])
    assert.strictEqual(await digestAt(near.host, "shared/app", "v1"), newest)
  })
})

describe("inventory.yml", () => {
  it("prints a line for each tag, in their order, and what cannot be read too", async () => {
    const label = "org.opencontainers.image.version"
    const build = { tags: ["v1"], created: "2024-01-02T03:04:05Z", labels: { [label]: "1.0" } }
    const { descriptor } = await putBuild(near.host, "a/inventory", build)
    const arm64 = await putBuild(near.host, "a/inventory", { tags: [], architecture: "arm64" })
    await putIndex(near.host, "a/inventory", "v2", { arm64 })
    const { dry, real } = await both("inventory.yml")
    assert.strictEqual(dry.out, real.out)
    const lines = real.out.split("\n").slice(0, -1).map((it): Readonly<Record<string, unknown>> => JSON.parse(it))
    const [v1, v2] = lines.filter(({ image }) => String(image).includes("/a/inventory:"))
    assert.deepStrictEqual(v1, {
      image: `${near.host}/a/inventory:v1`,
      digest: descriptor.digest,
      bytes: 72,
      created: "2024-01-02 03:04:05 +0000 UTC",
      version: "1.0"
    })
    assert.match(String(v2?.["problem"]), /platform not found/)
  })
})

describe("kubernetes.yml", () => {
  it("holds a sound file that deletes old builds, and runs dry as it stands", async () => {
    await putBuild(near.host, "cron/app", { tags: ["build-1", "release-1"], created: daysAgo(40) })
    await putBuild(near.host, "cron/app", { tags: ["build-2"], created: daysAgo(20) })
    const text = example("kubernetes.yml", [
      ["registry.default.svc.cluster.local:5000", near.host],
      ["registry.internal/ci/app", "registry.internal/cron/app"]
    ])
    const [configMap, cronJob] = parseAllDocuments(text)
    assert.deepStrictEqual(
      cronJob?.getIn(["spec", "jobTemplate", "spec", "template", "spec", "containers", 0, "args"], true)?.toString(),
      `["once","-c","/etc/regbot/regbot.yml","--dry-run","--sandbox"]`
    )
    const input = String(configMap?.getIn(["data", "regbot.yml"]))
    const env = { REGISTRY_USER: "user", REGISTRY_PASS: "pass" }
    const dry = await regbot(dir.path, ["once", "--strict", "--sandbox", "--dry-run"], input, env)
    assert.strictEqual(dry.code, 0, dry.err)
    assert.deepStrictEqual(records(dry.err), [
      "INFO msg=\"Delete tag\" script=builds image=registry.internal/cron/app:build-1 dry-run=true"
    ])
    assert.deepStrictEqual(await tagsAt(near.host, "cron/app"), ["build-1", "build-2", "release-1"])
    const { code, err } = await regbot(dir.path, ["once", "--strict", "--sandbox"], input, env)
    assert.strictEqual(code, 0, err)
    assert.deepStrictEqual(await tagsAt(near.host, "cron/app"), ["build-2", "release-1"])
  })
})
