import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { storeError } from "../../../src/schemas/StoreError.ts"
import { byTag, makeImage } from "../../fixtures/images.ts"
import { makeWorld } from "./world.ts"

const [one, two] = [makeImage({ layers: ["one"] }), makeImage({ layers: ["two"] })]

const image = `sync: [{source: "a.example/app:v1", target: "b.example/app:v1", type: image}]`
const repository = (more: string) => `sync: [{source: a.example/app, target: b.example/app, type: repository${more}}]`

/** Without the time a run took. */
const finished = (logs: ReadonlyArray<string>) => logs.at(-1)?.replace(/ elapsed=\S+$/, "")

describe("a run over one image", () => {
  it.effect("copies it, and asks each side once when it is current", () =>
    Effect.gen(function*() {
      const { asked, at, logs, put, results, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      yield* run(image)
      assert.deepStrictEqual(logs.slice(0, 4), [
        "INFO Image sync needed source=a.example/app:v1 target=b.example/app:v1",
        "DEBUG Image sync running source=a.example/app:v1 target=b.example/app:v1",
        `INFO Copy config source=a.example/app:v1 target=b.example/app:v1 digest=${one.blobs[0]?.[0].digest}`,
        `INFO Copy layer source=a.example/app:v1 target=b.example/app:v1 digest=${one.blobs[1]?.[0].digest}`
      ])
      assert.strictEqual(
        finished(logs),
        `INFO Run finished copied=1 refreshed=0 current=0 ignored=0 stale=0 failed=0 bytes=${results[0]?.bytes} saved=0`
      )
      assert.strictEqual(
        (yield* at("b.example/app").resolve(byTag("v1"))).descriptor.digest,
        one.manifest.descriptor.digest
      )
      yield* run(image)
      assert.deepStrictEqual(asked, ["HEAD a.example/app:v1", "HEAD b.example/app:v1"])
      assert.deepStrictEqual(logs[0], "DEBUG Image matches source=a.example/app:v1 target=b.example/app:v1")
    }))

  it.effect("only tells what is to be done in a check", () =>
    Effect.gen(function*() {
      const { asked, logs, put, results, run, tags } = makeWorld()
      yield* put("a.example/app", one, "v1")
      const { failure, summary } = yield* run(image, { action: "check" })
      assert.isUndefined(failure)
      assert.strictEqual(summary.stale, 1)
      assert.deepStrictEqual(asked, ["HEAD a.example/app:v1", "HEAD b.example/app:v1"])
      assert.strictEqual(logs[0], "INFO Image sync needed source=a.example/app:v1 target=b.example/app:v1")
      assert.deepStrictEqual(results.map(({ decision, outcome }) => [decision, outcome]), [["copy", "stale"]])
      assert.deepStrictEqual(yield* tags("b.example/app"), [])
    }))

  it.effect("asks a source once that several entries name, and each time once it is written to", () =>
    Effect.gen(function*() {
      const { asked, at, put, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      yield* put("b.example/app", two, "v1")
      const entry = (from: string, to: string) => `{source: "${from}:v1", target: "${to}:v1", type: image}`
      const several = ["b.example/app", "c.example/app", "d.example/app"].map((to) => entry("a.example/app", to))
      const later = [entry("b.example/app", "e.example/app"), entry("b.example/app", "f.example/app")]
      const sync = `sync: [${[entry("b.example/app", "g.example/app"), ...several, ...later].join(", ")}]`
      for (const parallel of [0, 3]) {
        yield* run(sync, { action: "check", parallel })
        assert.strictEqual(asked.filter((it) => it === "HEAD a.example/app:v1").length, 1)
        // Asked as a source once, and as a target.
        assert.strictEqual(asked.filter((it) => it === "HEAD b.example/app:v1").length, 2)
      }
      const { summary } = yield* run(sync)
      assert.strictEqual(summary.copied, 6)
      assert.strictEqual(asked.filter((it) => it === "HEAD a.example/app:v1").length, 1)
      const digestOf = (name: string) =>
        Effect.map(at(name).resolve(byTag("v1")), ({ descriptor }) => descriptor.digest)
      assert.strictEqual(yield* digestOf("g.example/app"), two.manifest.descriptor.digest)
      assert.strictEqual(yield* digestOf("f.example/app"), one.manifest.descriptor.digest)
      yield* run(sync)
      assert.strictEqual(yield* digestOf("g.example/app"), one.manifest.descriptor.digest)
    }))

  it.effect("asks again for a source that gave no answer", () =>
    Effect.gen(function*() {
      let failures = 0
      const { put, run } = makeWorld((name, { resolve }) => ({
        resolve: (reference) =>
          name === "a.example/app" && failures++ === 0
            ? Effect.fail(storeError(name, "Timeout", "no answer"))
            : resolve(reference)
      }))
      yield* put("a.example/app", one, "v1")
      const entry = (to: string) => `{source: "a.example/app:v1", target: "${to}:v1", type: image}`
      const { summary } = yield* run(`sync: [${entry("b.example/app")}, ${entry("c.example/app")}]`)
      assert.deepStrictEqual([summary.copied, summary.failed], [1, 1])
    }))

  it.effect("that the source lacks fails, and the others go on", () =>
    Effect.gen(function*() {
      const { logs, put, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      const { failure, summary } = yield* run(`sync:
- {source: "a.example/none:v1", target: "b.example/none:v1", type: image}
- {source: "a.example/App:v1", target: "b.example/app:v1", type: image}
- {source: "a.example/app:v1", target: "b.example/App:v1", type: image}
- {source: "a.example/app:v1", target: "b.example/app:v1", type: foo}
- {source: "a.example/app:v1", target: "b.example/app:v1", type: image}`)
      assert.strictEqual(summary.copied, 1)
      assert.strictEqual(summary.failed, 4)
      assert.deepStrictEqual(failure?.messages, [
        `a.example/none: not found: {"tag":"v1","_tag":"ByTag"}`,
        "invalid reference \"a.example/App:v1\", repo must be lowercase",
        "invalid reference \"b.example/App:v1\", repo must be lowercase",
        "invalid input"
      ])
      assert.deepStrictEqual(logs.slice(0, 5).map((line) => line.split(" error=")[0]), [
        "ERROR Failed to lookup source manifest source=a.example/none:v1",
        "ERROR Failed to sync target=b.example/none:v1 source=a.example/none:v1",
        "ERROR Failed parsing source source=a.example/App:v1",
        "ERROR Failed parsing target target=b.example/App:v1",
        "ERROR Type not recognized, must be one of: registry, repository, or image " +
        "step={Source:a.example/app:v1 Target:b.example/app:v1 Type:foo} type=foo"
      ])
    }))

  it.effect("ends with the first failure where that is wanted", () =>
    Effect.gen(function*() {
      const { asked, put, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      const { failure } = yield* run(
        `sync:
- {source: "a.example/none:v1", target: "b.example/none:v1", type: image}
- {source: "a.example/app:v1", target: "b.example/app:v1", type: image}`,
        { abortOnError: true }
      )
      assert.strictEqual(failure?.messages.length, 1)
      assert.strictEqual(failure?.reason?._tag, "NotFound")
      assert.deepStrictEqual(asked.filter((it) => it.includes("/app")), [])
    }))

  it.effect("of another media type than asked for is left alone", () =>
    Effect.gen(function*() {
      const { logs, put, results, run } = makeWorld()
      yield* put("a.example/app", one, "v1")
      yield* run(`sync: [{source: "a.example/app:v1", target: "b.example/app:v1", type: image, mediaTypes: [x, y]}]`)
      assert.strictEqual(
        logs[0],
        "INFO Skipping unsupported media type ref=a.example/app:v1 " +
          "mediaType=application/vnd.oci.image.manifest.v1+json allowed=x,y"
      )
      assert.strictEqual(results[0]?.outcome, "ignored")
    }))
})

describe("a run over a repository", () => {
  it.effect("copies the tags of all sets, in the order of the sets", () =>
    Effect.gen(function*() {
      const { put, results, run, tags } = makeWorld()
      yield* put("a.example/app", one, "1.0", "1.1", "2.0", "latest", "edge")
      yield* run(repository(`, tags: {allow: [latest]}, tagSets: [{semverRange: [">=1.1"]}, {allow: ["1.*"]}]`))
      assert.deepStrictEqual(results.map(({ target }) => target), [
        "b.example/app:1.1",
        "b.example/app:2.0",
        "b.example/app:1.0",
        "b.example/app:latest"
      ])
      assert.deepStrictEqual(yield* tags("b.example/app"), ["1.0", "1.1", "2.0", "latest"])
    }))

  it.effect("warns when no tag is meant", () =>
    Effect.gen(function*() {
      const { logs, put, run } = makeWorld()
      yield* put("a.example/app", one, "1.0", "1.1")
      const { failure } = yield* run(repository(", tags: {allow: [nothing]}"))
      assert.isUndefined(failure)
      assert.strictEqual(
        logs[0],
        "WARN No matching tags found source=a.example/app:latest " +
          "tags={Allow:[nothing] Deny:[] SemverRange:[]} tagSets= available=1.0,1.1"
      )
    }))

  it.effect("lists the target once for what it lacks, and leaves what is there", () =>
    Effect.gen(function*() {
      const { asked, at, put, results, run } = makeWorld()
      yield* put("a.example/app", one, "c", "b", "a")
      yield* put("b.example/app", two, "b")
      yield* run(repository(""), { action: "missing" })
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("TAGS")), ["TAGS a.example/app", "TAGS b.example/app"])
      assert.deepStrictEqual(results.map(({ target }) => target), ["b.example/app:a", "b.example/app:c"])
      assert.strictEqual(
        (yield* at("b.example/app").resolve(byTag("b"))).descriptor.digest,
        two.manifest.descriptor.digest
      )
    }))

  it.effect("with a tag at its source or its target fails once, before anything is asked", () =>
    Effect.gen(function*() {
      const { asked, run } = makeWorld()
      const { failure } = yield* run(`sync:
- {source: "a.example/app:v1", target: b.example/app, type: repository}
- {source: a.example/app, target: "b.example/app:v1", type: repository}`)
      assert.deepStrictEqual(failure?.messages, [
        "invalid reference \"a.example/app:v1\", the source of a repository entry has no tag or digest",
        "invalid reference \"b.example/app:v1\", the target of a repository entry has no tag or digest"
      ])
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("goes on after a tag that fails, unless it is told not to", () =>
    Effect.gen(function*() {
      const world = makeWorld((name, it) =>
        name !== "b.example/app" ? {} : {
          putManifest: (manifest, how) =>
            how?.tag === "b"
              ? Effect.fail(storeError("", "HttpStatus", "unexpected http status code: 405", { status: 405 }))
              : it.putManifest(manifest, how)
        }
      )
      const { asked, put, results, run } = world
      yield* put("a.example/app", one, "a", "b", "c")
      const outcome = yield* run(repository(""))
      assert.deepStrictEqual(results.map(({ outcome, reason }) => [outcome, reason]), [
        ["copied", undefined],
        ["failed", "HttpStatus"],
        ["copied", undefined]
      ])
      assert.strictEqual(outcome.failure?.messages.length, 1)
      yield* put("a.example/app", two, "a", "b", "c")
      yield* run(repository(""), { abortOnError: true })
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("PUT b.example/app:")), [
        "PUT b.example/app:a",
        "PUT b.example/app:b"
      ])
    }))

  it.effect("lists tags named after digests once for all of its images", () =>
    Effect.gen(function*() {
      const { asked, put, run, tags } = makeWorld()
      const signature = `${one.manifest.descriptor.digest.replace(":", "-")}.sig`
      yield* put("a.example/app", one, "v1", "v2")
      yield* put("a.example/app", two, signature)
      yield* run(repository(", digestTags: true, tags: {allow: [\"v.*\"]}"))
      assert.deepStrictEqual(yield* tags("b.example/app"), [signature, "v1", "v2"].sort())
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("TAGS")), ["TAGS a.example/app"])
    }))
})

describe("a run over a registry", () => {
  const registry = (source: string, more = "") =>
    `sync: [{source: "${source}", target: b.example/all, type: registry${more}}]`

  it.effect("asks for the catalog until nothing new comes, and copies each repository", () =>
    Effect.gen(function*() {
      const { asked, put, run, tags } = makeWorld(undefined, [["one", "other"], ["two"]])
      yield* put("a.example/one", one, "v1")
      yield* put("a.example/two", two, "v1", "v2")
      yield* run(registry("a.example", ", repos: {deny: [other]}"))
      assert.deepStrictEqual(asked.filter((it) => it.startsWith("CATALOG")), [
        "CATALOG a.example",
        "CATALOG a.example after other",
        "CATALOG a.example after two"
      ])
      assert.deepStrictEqual(yield* tags("b.example/all/one"), ["v1"])
      assert.deepStrictEqual(yield* tags("b.example/all/two"), ["v1", "v2"])
    }))

  it.effect("is refused where the source is no registry's name, and where a filter cannot be read", () =>
    Effect.gen(function*() {
      const { asked, logs, run } = makeWorld()
      const messages: Array<string> = []
      for (
        const [source, more] of [["a.example/x", ""], ["myreg", ""], [
          "a.example",
          ", repos: {allow: [\"(a\"]}"
        ]] as const
      ) {
        messages.push(...((yield* run(registry(source, more))).failure?.messages ?? []))
        messages.push(logs[0]?.split(" error=")[0] ?? "")
      }
      assert.deepStrictEqual(messages, [
        "invalid hostname: a.example/x",
        "ERROR Failed to list source repositories source=a.example/x",
        "invalid hostname: myreg: a registry is named with a dot or a port, such as myreg:443",
        "ERROR Failed to list source repositories source=myreg",
        "invalid allow pattern \"(a\": error parsing regexp: missing closing ): `^(a$`",
        "ERROR Failed processing repo filters source=a.example allow=(a deny="
      ])
      assert.deepStrictEqual(asked, [])
    }))
})
