import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { mediaTypes } from "../../../src/schemas/MediaType.ts"
import { Tag } from "../../../src/schemas/Ref.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"
import type { Pump } from "../../../src/services/Bytes.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { type Answer, fakeHttp, opened, registryOver, type Reply, reset } from "./fakeHttp.ts"

const page = (tags: ReadonlyArray<string> | null, link?: string, type = "application/json"): Reply => ({
  status: 200,
  headers: { "Content-Type": type, ...(link === undefined ? {} : { Link: `<${link}>; rel="next"` }) },
  body: JSON.stringify({ name: "app", tags })
})

const list = Effect.fnUntraced(function*(replies: ReadonlyArray<Reply>, request?: { last?: string; limit?: number }) {
  const http = fakeHttp(replies)
  const repository = yield* opened(http)
  const seen: Array<string> = []
  const result = yield* Effect.result(
    Stream.runForEach(repository.tags(request), ({ names }) => Effect.sync(() => void seen.push(...names)))
  )
  return { lines: http.lines(), seen, error: result._tag === "Failure" ? result.failure : undefined }
}, Effect.scoped)

describe("tags", () => {
  it.effect("asks without n, and follows relative and absolute links", () =>
    Effect.gen(function*() {
      const { error, lines, seen } = yield* list([
        page(["a", "b"], "/v2/app/tags/list?last=b&n=2"),
        page(["c"], "https://r.example/v2/app/tags/list?next_page=x%2By"),
        page(["d"])
      ])
      assert.deepStrictEqual(seen, ["a", "b", "c", "d"])
      assert.isUndefined(error)
      assert.deepStrictEqual(lines, [
        "GET app/tags/list",
        "GET app/tags/list?last=b&n=2",
        "GET app/tags/list?next_page=x%2By"
      ])
    }))

  it.effect("stops asking once the limit is reached", () =>
    Effect.gen(function*() {
      const { lines, seen } = yield* list([page(["b", "c"], "?last=c")], { last: "a", limit: 2 })
      assert.deepStrictEqual(lines, ["GET app/tags/list?last=a&n=2"])
      assert.deepStrictEqual(seen, ["b", "c"])
    }))

  it.effect("asks without n when n is refused", () =>
    Effect.gen(function*() {
      const { lines, seen } = yield* list([{ status: 413, body: "TOO_MANY_TAGS_REQUESTED" }, page(["b"])], {
        limit: 500
      })
      assert.deepStrictEqual(lines, ["GET app/tags/list?n=500", "GET app/tags/list"])
      assert.deepStrictEqual(seen, ["b"])
    }))

  it.effect("asks for a page only when it is pulled", () =>
    Effect.gen(function*() {
      const http = fakeHttp([page(["a"], "?last=a")])
      const repository = yield* opened(http)
      const [first] = yield* Stream.runCollect(Stream.take(repository.tags(), 1))
      assert.deepStrictEqual(first?.names, ["a"])
      assert.strictEqual(http.asked.length, 1)
    }).pipe(Effect.scoped))

  it.effect("takes null for no tags, and names once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* list([page(null)])).seen, [])
      assert.deepStrictEqual((yield* list([page(["a", "b", "a"])])).seen, ["a", "b"])
    }))

  it.effect("skips names that are no tags, but passes the page on as it came (N38)", () =>
    Effect.gen(function*() {
      const odd = ["../x", "ok", "a@sha256:00", "with space", "x".repeat(129), "+"]
      const http = fakeHttp([page(odd)])
      const repository = yield* opened(http)
      const [first] = yield* Stream.runCollect(repository.tags())
      assert.deepStrictEqual(first?.names, ["ok"])
      assert.strictEqual(new TextDecoder().decode(first?.body), JSON.stringify({ name: "app", tags: odd }))
    }).pipe(Effect.scoped))

  const loops: ReadonlyArray<readonly [string, ReadonlyArray<Reply>, number]> = [
    ["a link to its own page", [page(["a"], "/v2/app/tags/list")], 1],
    ["a cycle of pages", [page(["a"], "?last=a"), page(["b"], "/v2/app/tags/list")], 2],
    ["a page that brings nothing new", [page(["a"], "?last=a"), page(["a"], "?last=b"), page(["a"])], 2],
    ["a link to another host", [page(["a"], "https://evil.example/v2/app/tags/list?last=a")], 1]
  ]
  for (const [what, replies, count] of loops) {
    it.effect(`fails at ${what} (N37)`, () =>
      Effect.gen(function*() {
        const { error, lines } = yield* list(replies)
        assert.strictEqual(error?.reason._tag, "PaginationLoop")
        assert.strictEqual(lines.length, count)
      }))
  }

  it.effect("stops after 10,000 pages that each bring a name (N37)", () =>
    Effect.gen(function*() {
      const { error, lines } = yield* list(Array.from({ length: 10_001 }, (_, at) => page([`t${at}`], `?last=t${at}`)))
      assert.strictEqual(error?.reason._tag, "SizeLimit")
      assert.strictEqual(lines.length, 10_000)
    }))

  it.effect("refuses a page of another type, and one that is no list", () =>
    Effect.gen(function*() {
      const html = yield* list([page([], undefined, "text/html; charset=utf-8")])
      assert.strictEqual(
        html.error?.message,
        `failed to list tags for r.example/app:latest: unsupported media type: "text/html"`
      )
      const cut = yield* list([{ status: 200, headers: { "Content-Type": "application/json" }, body: `{"tags":["a"` }])
      assert.strictEqual(cut.error?.reason._tag, "ManifestInvalid")
      // Such as what `/v2/` answers with, to which a registry may redirect.
      const other = yield* list([{ status: 200, headers: { "Content-Type": "application/json" }, body: "{}" }])
      assert.strictEqual(other.error?.reason._tag, "ManifestInvalid")
    }))

  it.effect("tells a missing repository", () =>
    Effect.gen(function*() {
      const { error } = yield* list([{ status: 404, body: "x" }])
      assert.strictEqual(
        error?.message,
        "failed to list tags for r.example/app:latest: request failed: not found [http 404]: x"
      )
    }))
})

const tag = Tag.make("v1")
const found = (mediaType: string): Answer => ({
  status: 200,
  headers: { "Content-Type": mediaType, "Docker-Content-Digest": `sha256:${"1".repeat(64)}`, "Content-Length": "7" }
})
const session: Answer = { status: 202, headers: { Location: "/v2/app/blobs/uploads/1" } }

/** Waits between attempts pass at once. */
const soon = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

describe("deleteTag", () => {
  it.effect("is one request where registries delete tags", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 202 }])
      yield* (yield* opened(http)).deleteTag(tag)
      assert.deepStrictEqual(http.lines(), ["DELETE app/manifests/v1"])
      assert.isTrue(http.asked[0]?.request.isProbe)
    }).pipe(Effect.scoped))

  it.effect("is asked for again when the answer was lost, and gone is deleted then (N10)", () =>
    Effect.gen(function*() {
      const http = fakeHttp([reset, { status: 404 }, { status: 404 }])
      yield* soon((yield* opened(http)).deleteTag(tag))
      assert.deepStrictEqual(http.lines(), [
        "DELETE app/manifests/v1",
        "DELETE app/manifests/v1",
        "HEAD app/manifests/v1"
      ])
    }).pipe(Effect.scoped))

  it.effect("is not done by an answer that cannot be read, unless the registry says so (N35)", () =>
    Effect.gen(function*() {
      const cut: Pump = () => Effect.fail(storeError("", "ConnectionLost", "reset"))
      const http = fakeHttp([{ status: 200, body: cut }, { status: 200 }, { status: 202 }])
      yield* soon((yield* opened(http)).deleteTag(tag))
      assert.deepStrictEqual(http.lines(), [
        "DELETE app/manifests/v1",
        "HEAD app/manifests/v1",
        "DELETE app/manifests/v1"
      ])
    }).pipe(Effect.scoped))

  it.effect("is not done by the answer of another place that a redirect led to", () =>
    Effect.gen(function*() {
      const elsewhere = { status: 200, url: "https://r.example/v2/" }
      const http = fakeHttp([elsewhere, { status: 404 }])
      yield* soon((yield* opened(http)).deleteTag(tag))
      assert.deepStrictEqual(http.lines(), ["DELETE app/manifests/v1", "HEAD app/manifests/v1"])
    }).pipe(Effect.scoped))

  it.effect("changes nothing at a registry in trouble", () =>
    Effect.gen(function*() {
      const http = fakeHttp(() => ({ status: 503 }))
      const error = yield* soon(Effect.flip((yield* opened(http)).deleteTag(tag)))
      assert.match(error.message, /^failed deleting r\.example\/app:v1: request failed: .*\[http 503\]/)
      assert.deepStrictEqual(http.lines(), Array.from({ length: 5 }, () => "DELETE app/manifests/v1"))
    }).pipe(Effect.scoped))

  const families = [
    [mediaTypes.ociIndex, mediaTypes.ociManifest],
    [mediaTypes.dockerList, mediaTypes.dockerManifest]
  ] as const
  for (const [type, placeholder] of families) {
    it.effect(`puts a placeholder in the place of a ${type} and deletes that`, () =>
      Effect.gen(function*() {
        const http = fakeHttp(({ line }) =>
          line === "DELETE app/manifests/v1"
            ? { status: 400 }
            : line.startsWith("HEAD")
            ? found(type)
            : line.startsWith("POST")
            ? session
            : { status: line.startsWith("DELETE") ? 202 : 201 }
        )
        yield* (yield* opened(http)).deleteTag(tag)
        const pushed = http.asked.find(({ line }) => line === "PUT app/manifests/v1")
        const document = JSON.parse(new TextDecoder().decode(pushed?.body))
        assert.strictEqual(document.mediaType, placeholder)
        const last = http.lines().at(-1)
        assert.match(last ?? "", /^DELETE app\/manifests\/sha256:[0-9a-f]{64}$/)
        assert.notInclude(last, "1".repeat(64))
        assert.strictEqual(http.lines().filter((line) => line.startsWith("DELETE")).length, 2)
      }).pipe(Effect.scoped))
  }

  it.effect("makes placeholders that differ, so that no other tag shares one", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line }) =>
        line === "DELETE app/manifests/v1"
          ? { status: 400 }
          : line.startsWith("HEAD")
          ? found(mediaTypes.ociManifest)
          : line.startsWith("POST")
          ? session
          : { status: line.startsWith("DELETE") ? 202 : 201 }
      )
      const repository = yield* opened(http)
      yield* repository.deleteTag(tag)
      yield* repository.deleteTag(tag)
      const deleted = http.lines().filter((line) => line.startsWith("DELETE app/manifests/sha256:"))
      assert.strictEqual(new Set(deleted).size, 2)
    }).pipe(Effect.scoped))

  it.effect("fails with NotFound when there is no such tag, and changes nothing", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 400 }, { status: 404 }])
      const error = yield* Effect.flip((yield* opened(http)).deleteTag(tag))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.strictEqual(
        error.message,
        "failed to request manifest head r.example/app:v1: request failed: not found [http 404]: "
      )
      assert.deepStrictEqual(http.lines(), ["DELETE app/manifests/v1", "HEAD app/manifests/v1"])
    }).pipe(Effect.scoped))

  it.effect("pushes no placeholder to a registry that deletes nothing", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 405 }, found(mediaTypes.ociManifest), { status: 405, body: "UNSUPPORTED" }])
      const error = yield* Effect.flip((yield* opened(http)).deleteTag(tag))
      assert.match(error.message, /^failed deleting r\.example\/app:v1: request failed: .*UNSUPPORTED$/)
      assert.strictEqual(http.lines().filter((line) => line.startsWith("PUT")).length, 0)
    }).pipe(Effect.scoped))

  it.effect("takes the placeholder away when it is interrupted while putting it, within 2 s", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line }) =>
        line.startsWith("DELETE app/manifests/v1")
          ? { status: 400 }
          : line.startsWith("DELETE") || line.startsWith("PUT app/manifests/v1")
          ? Effect.never
          : line.startsWith("HEAD")
          ? found(mediaTypes.ociManifest)
          : line.startsWith("POST")
          ? session
          : { status: 201 }
      )
      const deleting = yield* Effect.forkChild(Effect.flatMap(opened(http), (it) => it.deleteTag(tag)))
      while (!http.lines().some((line) => line.startsWith("PUT app/manifests/v1"))) yield* Effect.yieldNow
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(deleting))
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(interrupting)
      assert.match(http.lines().at(-1) ?? "", /^DELETE app\/manifests\/sha256:/)
    }).pipe(Effect.scoped))

  it.effect("says that the tag points at a placeholder that could not be deleted (N43)", () =>
    Effect.gen(function*() {
      const http = fakeHttp(({ line }) =>
        line.startsWith("DELETE")
          ? { status: 400 }
          : line.startsWith("HEAD")
          ? found(mediaTypes.ociManifest)
          : line.startsWith("POST")
          ? session
          : { status: 201 }
      )
      const error = yield* Effect.flip((yield* opened(http)).deleteTag(tag))
      const [digest] = http.lines().at(-1)?.match(/sha256:[0-9a-f]{64}/) ?? []
      assert.isTrue(error.message.startsWith("failed deleting dummy manifest for r.example/app:v1: "))
      assert.include(error.message, `the tag now points at the placeholder ${digest}`)
      assert.strictEqual(error.reason._tag, "HttpStatus")
    }).pipe(Effect.scoped))

  const ends: ReadonlyArray<readonly [string, boolean, string]> = [
    ["took it and answered as if not", true, "the tag now points at the placeholder"],
    ["left the tag where it was", false, "the tag is as it was"]
  ]
  for (const [what, isTaken, text] of ends) {
    it.effect(`says where the tag is when the push of a placeholder failed and the registry ${what} (N43)`, () =>
      Effect.gen(function*() {
        let isThere = false
        const http = fakeHttp(({ body, line }) => {
          if (line.startsWith("DELETE")) return { status: 400 }
          if (line.startsWith("POST")) return session
          if (line.startsWith("PUT app/manifests/v1")) {
            isThere = isTaken
            digest = `sha256:${createHash("sha256").update(body ?? "").digest("hex")}`
            return { status: 403 }
          }
          if (!line.startsWith("HEAD")) return { status: 201 }
          const { headers, ...head } = found(mediaTypes.ociManifest)
          return { ...head, headers: isThere ? { ...headers, "Docker-Content-Digest": digest } : { ...headers } }
        })
        let digest = ""
        const error = yield* Effect.flip((yield* opened(http)).deleteTag(tag))
        assert.include(error.message, text)
        assert.strictEqual(error.reason._tag, "Forbidden")
        if (isTaken) assert.include(error.message, `placeholder ${digest},`)
      }).pipe(Effect.scoped))
  }
})

describe("Registry", () => {
  it.effect("lists the catalog a page for each pull", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{
        status: 200,
        headers: { "Content-Type": "application/json", Link: `</v2/_catalog?last=b>; rel="next"` },
        body: `{"repositories":["a","b/c","../x","UPPER"]}`
      }])
      const pages = yield* Effect.provide(
        Effect.flatMap(Registry, (it) => Stream.runCollect(Stream.take(it.list("r.example", { limit: 3 }), 1))),
        registryOver(http)
      )
      assert.deepStrictEqual([...pages].map(({ names }) => names), [["a", "b/c"]])
      assert.deepStrictEqual(http.lines(), ["GET _catalog?n=3"])
    }))

  it.effect("pings /v2/", () =>
    Effect.gen(function*() {
      const http = fakeHttp([{ status: 200 }, { status: 401 }])
      const ping = Effect.provide(Effect.flatMap(Registry, (it) => it.ping("r.example")), registryOver(http))
      yield* ping
      const error = yield* Effect.flip(ping)
      assert.deepStrictEqual(http.lines(), ["GET ", "GET "])
      assert.strictEqual(error.message, "failed to ping registry r.example: request failed: unauthorized [http 401]: ")
    }))
})
