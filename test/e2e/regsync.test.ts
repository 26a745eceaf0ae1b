/** What a run of regsync does: real registries and layouts, the tool as a process (regsync description, section 15). */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Content, contentOf, type Descriptor, types } from "../support/contents.ts"
import { asking, ways } from "../support/distribution.ts"
import { addImage, digestOf, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { type Ran, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("regsync")
/** Debian's registry has no referrers API, our own has. */
let a: Running
let b: Running
let frozen: Running

const env = { DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined, HOME: dir.path, TZ: "UTC" }

/** Runs the tool with entries given as YAML, in a directory of its own files. */
const regsync = (args: ReadonlyArray<string>, sync: string, more = ""): Promise<Ran> => {
  const creds = [a, b, frozen].map(({ host }) => `- {registry: "${host}", tls: disabled}`).join("\n")
  return run(process.execPath, [tool("regsync"), ...args, "-c", "-"], {
    env,
    cwd: dir.path,
    input: `version: 1\ncreds:\n${creds}\n${more}\nsync:\n${sync}\n`
  })
}

/** The messages of a run's log, each with its fields, and what follows them as plain text. */
const told = ({ err }: Ran) => ({
  log: err.split("\n").flatMap((line) => /^time=\S+ level=(.*)$/.exec(line)?.[1] ?? []),
  text: err.split("\n").filter((line) => line !== "" && !line.startsWith("time="))
})

/** All but the last line, which counts what was done. */
const before = (log: ReadonlyArray<string>): ReadonlyArray<string> => {
  assert.match(log.at(-1) ?? "", /^INFO msg="Run finished" copied=/)
  return log.slice(0, -1)
}

const succeeded = (ran: Ran) => {
  assert.strictEqual(ran.code, 0, ran.err)
  return told(ran)
}

const failed = (ran: Ran) => {
  assert.strictEqual(ran.code, 1, ran.err)
  return told(ran)
}

const put = async (at: Running, repository: string, tag: string, blobs: ReadonlyArray<Content>, manifest: Content) => {
  const ask = asking(() => at.host)
  const push = ways[1]?.[1]
  for (const blob of blobs) {
    const answer = await push?.(ask, repository, blob)
    assert.strictEqual(answer?.status, 201)
  }
  const type = { "content-type": manifest.descriptor.mediaType }
  const answer = await ask("PUT", `/v2/${repository}/manifests/${tag}`, manifest.bytes, type)
  assert.strictEqual(answer.status, 201, answer.bytes.toString())
}

const image = (about: string, more: Record<string, unknown> = {}) => {
  const config = contentOf(JSON.stringify({ architecture: "amd64", os: "linux", author: about }), types.config)
  const layer = contentOf(`${about}, a layer`, types.layer)
  const document = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.descriptor,
    layers: [layer.descriptor],
    ...more
  }
  return { blobs: [config, layer], manifest: contentOf(JSON.stringify(document), types.manifest) }
}

const index = (entries: ReadonlyArray<readonly [Content, string]>): Content =>
  contentOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.index,
      manifests: entries.map(([{ descriptor }, architecture]) => ({
        ...descriptor,
        platform: { os: "linux", architecture }
      }))
    }),
    types.index
  )

const [one, two] = [image("one"), image("two")]

/** The digest of a tag; none when it is not there. */
const digestAt = async (at: Running, repository: string, tag: string): Promise<string | null> => {
  const accept = { accept: `${types.manifest}, ${types.index}` }
  const { headers } = await asking(() => at.host)("HEAD", `/v2/${repository}/manifests/${tag}`, undefined, accept)
  return headers.get("docker-content-digest")
}

const tagsAt = async (at: Running, repository: string): Promise<ReadonlyArray<string>> => {
  const { bytes } = await asking(() => at.host)("GET", `/v2/${repository}/tags/list`)
  const list: { readonly tags?: ReadonlyArray<string> } = JSON.parse(bytes.toString())
  return [...list.tags ?? []].sort()
}

/** Artifact types that are listed for a digest. */
const referrersAt = async (at: Running, repository: string, digest: string): Promise<ReadonlyArray<string>> => {
  const { bytes } = await asking(() => at.host)("GET", `/v2/${repository}/referrers/${digest}`)
  const list: { readonly manifests: ReadonlyArray<Descriptor> } = JSON.parse(bytes.toString())
  return list.manifests.map(({ artifactType }) => String(artifactType)).sort()
}

const writes = async (at: Running) =>
  (await at.requests()).filter(({ method }) => method !== "GET" && method !== "HEAD")

/** A layout of small images under these tags. */
const layoutOf = (name: string, tags: ReadonlyArray<string>): string => {
  const layout = makeLayout(join(dir.path, name))
  tagAll(layout, Object.fromEntries(tags.map((tag) => [tag, addImage(layout, [`layer of ${tag}`])])))
  return layout
}

beforeAll(async () => {
  ;[a, b, frozen] = await Promise.all([dockerRegistry(), ownRegistry(), ownRegistry(["--read-only"])])
  await put(a, "app", "v1", one.blobs, one.manifest)
  await put(a, "app", "v2", two.blobs, two.manifest)
})
afterAll(async () => {
  await Promise.all([a, b, frozen].map((it) => it?.stop()))
  dir.remove()
})

describe("regsync once", () => {
  it("copies what is missing, then finds it current with one HEAD on each side and no write", async () => {
    const entry = `- {source: "${a.host}/app:v1", target: "${b.host}/first:v1", type: image}`
    const { log } = succeeded(await regsync(["once"], entry))
    assert.strictEqual(log[0], `INFO msg="Image sync needed" source=${a.host}/app:v1 target=${b.host}/first:v1`)
    assert.strictEqual(await digestAt(b, "first", "v1"), one.manifest.descriptor.digest)
    await Promise.all([a.requests(), b.requests()])
    assert.deepStrictEqual(before(succeeded(await regsync(["once"], entry)).log), [])
    assert.deepStrictEqual((await a.requests()).map(({ method }) => method), ["HEAD"])
    assert.deepStrictEqual((await b.requests()).map(({ method }) => method), ["HEAD"])
  })

  it("saves what it overwrites under a tag or a reference", async () => {
    for (const tag of ["a", "b"]) await put(b, "kept", tag, two.blobs, two.manifest)
    succeeded(
      await regsync(
        ["once"],
        `- {source: "${a.host}/app:v1", target: "${b.host}/kept:a", type: image, backup: old}
- {source: "${a.host}/app:v1", target: "${b.host}/kept:b", type: image, backup: "${b.host}/backups:{{.Ref.Tag}}"}`
      )
    )
    const [first, second] = [one.manifest.descriptor.digest, two.manifest.descriptor.digest]
    assert.deepStrictEqual(
      await Promise.all([
        digestAt(b, "kept", "a"),
        digestAt(b, "kept", "old"),
        digestAt(b, "kept", "b"),
        digestAt(b, "backups", "b")
      ]),
      [first, second, first, second]
    )
  })

  it("overwrites nothing when the backup fails, unless it is not required", async () => {
    await put(b, "unsaved", "v1", two.blobs, two.manifest)
    const entry =
      `source: "${a.host}/app:v1", target: "${b.host}/unsaved:v1", type: image, backup: "${frozen.host}/x:y"`
    const { log } = failed(await regsync(["once"], `- {${entry}}`))
    assert.include(log.join("\n"), `ERROR msg="Failed to backup existing image" original=${b.host}/unsaved:v1 `)
    assert.strictEqual(await digestAt(b, "unsaved", "v1"), two.manifest.descriptor.digest)
    const { log: warned } = succeeded(await regsync(["once"], `- {${entry}, backupRequired: false}`))
    assert.include(warned.join("\n"), `WARN msg="Failed to backup existing image" original=${b.host}/unsaved:v1 `)
    assert.strictEqual(await digestAt(b, "unsaved", "v1"), one.manifest.descriptor.digest)
  })

  it("--missing leaves alone what is there, and lists the target once", async () => {
    await put(b, "gaps", "v1", two.blobs, two.manifest)
    await b.requests()
    succeeded(
      await regsync(
        ["once", "--missing"],
        `- {source: "${a.host}/app", target: "${b.host}/gaps", type: repository}
- {source: "${a.host}/app:v1", target: "${b.host}/gaps:v1", type: image}`
      )
    )
    assert.strictEqual(await digestAt(b, "gaps", "v1"), two.manifest.descriptor.digest)
    assert.strictEqual(await digestAt(b, "gaps", "v2"), two.manifest.descriptor.digest)
    assert.strictEqual((await b.requests()).filter(({ path }) => path.includes("/tags/list")).length, 1)
  })

  it("copies the tags that filters let through, and a registry's repositories", async () => {
    layoutOf("tags", ["latest", "edge", "1.0.0", "1.1.0", "2.0.0-rc1", "2.0.0"])
    succeeded(
      await regsync(
        ["once"],
        `- {source: "ocidir://tags", target: "ocidir://lost", type: repository, tags: {semverRange: [">=1.1.0"], allow: [latest, ".*"]}}
- {source: "ocidir://tags", target: "ocidir://joined", type: repository, tagSets: [{semverRange: ["^1"], deny: [".*-.*"]}, {allow: [latest]}]}
- {source: "ocidir://tags", target: "ocidir://halves", type: repository, tags: {allow: ["lat|dge"]}}
- {source: "${a.host}", target: "ocidir://all", type: registry, repos: {allow: ["ap+"]}}`
      )
    )
    const found = (name: string) => {
      const { extra, problems, tags } = judge(join(dir.path, name))
      assert.deepStrictEqual({ extra, problems }, { extra: [], problems: [] })
      return Object.keys(tags).sort()
    }
    assert.deepStrictEqual(found("lost"), ["1.1.0", "2.0.0", "2.0.0-rc1"])
    assert.deepStrictEqual(found("joined"), ["1.0.0", "1.1.0", "latest"])
    assert.deepStrictEqual(found("halves"), ["edge", "latest"])
    assert.deepStrictEqual(found("all/app"), ["v1", "v2"])
  })

  it("takes referrers along: filtered, from elsewhere, to elsewhere, and not when a fast check is asked for", async () => {
    const { digest } = one.manifest.descriptor
    const refers = (type: string) => image(type, { artifactType: type, subject: one.manifest.descriptor })
    await put(b, "signed", "v1", one.blobs, one.manifest)
    for (const type of ["test/good", "test/other"]) {
      const { blobs, manifest } = refers(type)
      await put(b, "signed", manifest.descriptor.digest, blobs, manifest)
    }
    const elsewhere = refers("test/elsewhere")
    await put(b, "signatures", elsewhere.manifest.descriptor.digest, elsewhere.blobs, elsewhere.manifest)
    const entry = (target: string, more: string) =>
      `- {source: "${b.host}/signed:v1", target: "${b.host}/${target}:v1", type: image, ${more}}`
    succeeded(
      await regsync(
        ["once"],
        [
          entry("filtered", "referrers: true, referrerFilters: [{artifactType: test/good}]"),
          entry("fetched", `referrers: true, referrerSource: ${b.host}/signatures`),
          entry("split", `referrers: true, referrerTarget: ${b.host}/split-signatures`),
          entry("fast", "fastCheck: true"),
          entry("fast", "fastCheck: true, referrers: true"),
          entry("slow", "fastCheck: true"),
          entry("slow", "referrers: true")
        ].join("\n")
      )
    )
    const found = await Promise.all(
      ["filtered", "fetched", "split", "split-signatures", "fast", "slow"].map((it) => referrersAt(b, it, digest))
    )
    assert.deepStrictEqual(found, [
      ["test/good"],
      ["test/elsewhere"],
      [],
      ["test/good", "test/other"],
      [],
      ["test/good", "test/other"]
    ])
  })

  it("takes tags named after digests along, also one that names itself", async () => {
    const layout = makeLayout(join(dir.path, "attached"))
    const app = addImage(layout, ["app"])
    const signature = addImage(layout, ["signature"])
    const named = ({ digest }: Named, suffix: string) => `${digest.replace(":", "-")}.${suffix}`
    const own = { [named(app, "sig")]: signature, [named(signature, "sig")]: signature }
    tagAll(layout, { v1: app, ...own, other: addImage(layout, ["other"]) })
    succeeded(
      await regsync(
        ["once"],
        `- {source: "ocidir://attached:v1", target: "ocidir://detached:v1", type: image, digestTags: true}`
      )
    )
    const { extra, problems, tags } = judge(join(dir.path, "detached"))
    assert.deepStrictEqual({ extra, problems }, { extra: [], problems: [] })
    assert.deepStrictEqual(Object.keys(tags).sort(), ["v1", ...Object.keys(own)].sort())
  })

  it("copies one platform of an index as an image, and names the platforms there are", async () => {
    const both = index([[one.manifest, "amd64"], [two.manifest, "arm64"]])
    await put(a, "app", "both", [], both)
    const entry = (platform: string) =>
      `- {source: "${a.host}/app:both", target: "${b.host}/platform:v1", type: image, platform: ${platform}}`
    succeeded(await regsync(["once"], entry("linux/arm64")))
    assert.strictEqual(await digestAt(b, "platform", "v1"), two.manifest.descriptor.digest)
    const { log } = succeeded(await regsync(["once", "-v", "debug"], entry("linux/arm64")))
    assert.include(log.join("\n"), `DEBUG msg="Image matches for platform" source=${a.host}/app:both@sha256:`)
    const { log: refused, text } = failed(await regsync(["once"], entry("linux/s390x")))
    assert.include(refused[0], "platforms=\"linux/amd64, linux/arm64\"")
    assert.match(text.join("\n"), /^platform not found: linux\/s390x/)
  })

  it("ends with status 1 where a target refuses, and at the first one when told to", async () => {
    const entry = `- {source: "${a.host}/app", target: "${frozen.host}/app", type: repository, tags: {allow: ["v."]}}`
    const { text } = failed(await regsync(["once"], entry))
    assert.strictEqual(text.length, 2)
    for (const line of text) assert.include(line, "unexpected http status code")
    const { log } = failed(await regsync(["once", "--abort-on-error"], entry))
    assert.strictEqual(log.filter((line) => line.includes("Image sync needed")).length, 1)
  })

  it("joins what failed in one run, and goes on with the rest", async () => {
    const { log, text } = failed(
      await regsync(
        ["once"],
        `- {source: "${a.host}/none:v1", target: "${b.host}/x:v1", type: image}
- {source: "ocidir://nowhere:v1", target: "${b.host}/x:v1", type: image}
- {source: "${a.host}/App:v1", target: "${b.host}/x:v1", type: image}
- {source: "${a.host}/app:v1", target: "${b.host}/X:v1", type: image}
- {source: "${a.host}/none", target: "${b.host}/x", type: repository}
- {source: "${a.host}/app:v1", target: "${b.host}/x", type: repository}
- {source: "${a.host}/app", target: "${b.host}/x", type: registry}
- {source: "${a.host}/app:v1", target: "${b.host}/last:v1", type: image}`
      )
    )
    assert.deepStrictEqual(text.map((line) => line.replace(/\[http 404\].*/, "[http 404]")), [
      `failed to request manifest head ${a.host}/none:v1: request failed: not found [http 404]`,
      "unable to read oci index: oci-layout cannot be open: open nowhere/oci-layout: no such file or directory",
      `invalid reference "${a.host}/App:v1", repo must be lowercase`,
      `invalid reference "${b.host}/X:v1", repo must be lowercase`,
      `failed to list tags for ${a.host}/none:latest: request failed: not found [http 404]`,
      `invalid reference "${a.host}/app:v1", the source of a repository entry has no tag or digest`,
      `invalid hostname: ${a.host}/app`
    ])
    assert.match(log.at(-1) ?? "", /^INFO msg="Run finished" copied=1 .* failed=7 /)
    assert.strictEqual(await digestAt(b, "last", "v1"), one.manifest.descriptor.digest)
  })

  it("writes a report that appears when the run is over, and log lines that programs can read", async () => {
    const entries = `- {source: "${a.host}/app", target: "${b.host}/reported", type: repository, tags: {allow: ["v1"]}}
- {source: "${a.host}/none:v1", target: "${b.host}/reported:none", type: image}`
    const ran = await regsync(["once", "--logopt", "json", "--report", "report.jsonl"], entries)
    assert.strictEqual(ran.code, 1)
    const records = readFileSync(join(dir.path, "report.jsonl"), "utf8").trimEnd().split("\n").map((it) =>
      JSON.parse(it)
    )
    assert.deepStrictEqual(
      records.map((
        { decision, outcome, reason, source, target, type }
      ) => [type, source, target, decision, outcome, reason]),
      [
        ["pair", `${a.host}/app:v1`, `${b.host}/reported:v1`, "copy", "copied", undefined],
        ["pair", `${a.host}/none:v1`, `${b.host}/reported:none`, undefined, "failed", "NotFound"],
        ["summary", undefined, undefined, undefined, undefined, undefined]
      ]
    )
    const sizes = [...one.blobs, one.manifest].map(({ descriptor }) => descriptor.size)
    assert.strictEqual(records[0].bytes + records[0].saved, sizes.reduce((sum, size) => sum + size, 0))
    assert.deepInclude(records[2], { action: "copy", copied: 1, failed: 1, current: 0 })
    const lines = ran.err.trimEnd().split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
    assert.deepInclude(lines[0], {
      level: "INFO",
      msg: "Image sync needed",
      source: `${a.host}/app:v1`,
      target: `${b.host}/reported:v1`
    })
    assert.deepStrictEqual(Object.keys(lines[0]), ["time", "level", "msg", "source", "target"])
    assert.strictEqual(lines.at(-1).reason, "NotFound")
  })
})

describe("regsync check", () => {
  it("tells what is stale, writes nothing, and says so by its status only when asked", async () => {
    await put(b, "stale", "v1", two.blobs, two.manifest)
    const entries =
      `- {source: "${a.host}/app", target: "${b.host}/stale", type: repository, tags: {allow: ["v."]}, backup: old}
- {source: "${a.host}/app:v2", target: "${b.host}/stale:v1", type: image, referrers: true}
- {source: "${a.host}/app:v1", target: "ocidir://untouched:v1", type: image}`
    await Promise.all([a.requests(), b.requests()])
    const { log } = succeeded(await regsync(["check"], entries))
    assert.deepStrictEqual(before(log), [
      `INFO msg="Image sync needed" source=${a.host}/app:v1 target=${b.host}/stale:v1`,
      `INFO msg="Image sync needed" source=${a.host}/app:v2 target=${b.host}/stale:v2`,
      `INFO msg="Image refreshing" source=${a.host}/app:v2 target=${b.host}/stale:v1 forced=false digestTags=false referrers=true`,
      `INFO msg="Image sync needed" source=${a.host}/app:v1 target=ocidir://untouched:v1`
    ])
    const stale = await regsync(["check", "--exit-code", "--output", "json"], entries)
    assert.strictEqual(stale.code, 2)
    assert.deepStrictEqual(
      stale.out.trimEnd().split("\n").map((line) => JSON.parse(line)).map(({ outcome, stale }) => outcome ?? stale),
      ["stale", "stale", "current", "stale", 3]
    )
    assert.deepStrictEqual([...await writes(a), ...await writes(b)], [])
    assert.isFalse(existsSync(join(dir.path, "untouched")))
    assert.deepStrictEqual(await tagsAt(b, "stale"), ["v1"])
  })

  it("fails for what it cannot read, also when it is to tell what is stale", async () => {
    const { text } = failed(
      await regsync(
        ["check", "--exit-code"],
        `- {source: "${a.host}/none:v1", target: "${b.host}/x:v1", type: image}
- {source: "${a.host}/app:v1", target: "${b.host}/never:v1", type: image}`
      )
    )
    assert.strictEqual(text.length, 1)
  })
})

describe("a layout", () => {
  it("keeps nothing of an image that was replaced", async () => {
    mkdirSync(join(dir.path, "swept"))
    writeFileSync(join(dir.path, "swept", "note.txt"), "not ours")
    const entry = (tag: string) => `- {source: "${a.host}/app:${tag}", target: "ocidir://swept/layout:v1", type: image}`
    succeeded(await regsync(["once"], entry("v1")))
    succeeded(await regsync(["once"], entry("v2")))
    const { extra, problems, tags } = judge(join(dir.path, "swept/layout"))
    assert.deepStrictEqual({ extra, problems, tags }, {
      extra: [],
      problems: [],
      tags: { v1: digestOf(two.manifest.bytes) }
    })
  })
})
