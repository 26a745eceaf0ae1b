/** Who may not read or write learns nothing of what there is: a blob that exists is answered as one that does not. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { ask, digestOf, layoutsLayer, pushImage, serving } from "./serving.ts"

/** A directory that a server filled which has ended. */
const filled = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const dir = yield* fs.makeTempDirectoryScoped()
  yield* Effect.scoped(
    Effect.flatMap(serving({ dir }, layoutsLayer), ({ url }) => pushImage(url, "a", "v1", "content"))
  )
  return { dir, fs }
})

/** All of an answer that a client could tell another by. */
const told = (url: string, init: RequestInit) =>
  Effect.map(ask(url, init), ({ headers, status, text }) => ({
    status,
    text,
    headers: [...headers].filter(([name]) => name !== "date")
  }))

const here = digestOf("content")
const absent = digestOf("absent")

/** What is asked of a blob, or of a repository, that is there and of one that is not. */
const pairs: ReadonlyArray<readonly [string, string, string, string]> = [
  ["mount", "POST", `b/blobs/uploads/?mount=${here}&from=a`, `b/blobs/uploads/?mount=${absent}&from=a`],
  ["mount from anywhere", "POST", `b/blobs/uploads/?mount=${here}`, `b/blobs/uploads/?mount=${absent}`],
  ["mount from a repository", "POST", `b/blobs/uploads/?mount=${here}&from=a`, `b/blobs/uploads/?mount=${here}&from=z`],
  ["push again", "POST", `a/blobs/uploads/?digest=${here}`, `z/blobs/uploads/?digest=${absent}`],
  ["delete", "DELETE", `a/blobs/${here}`, `a/blobs/${absent}`]
]
const reads: typeof pairs = [
  ["read", "GET", `a/blobs/${here}`, `a/blobs/${absent}`],
  ["look at", "HEAD", `a/blobs/${here}`, `a/blobs/${absent}`],
  ["read of another repository", "GET", `a/blobs/${here}`, `z/blobs/${here}`],
  ["read the image of", "GET", "a/manifests/v1", "a/manifests/v2"],
  ["list", "GET", "a/tags/list", "z/tags/list"]
]

const bcrypt = "$2y$05$QnaKBjGD2fjwoQS1o/qHHO0ikIknaFA9pfaehenxZB6weFw4nVaX2" // "secret"
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` })

describe("a blob of another repository (R13)", () => {
  it.live("is, without a login, as one that does not exist, and is not mounted", () =>
    Effect.gen(function*() {
      const { dir, fs } = yield* filled
      const htpasswd = yield* fs.makeTempFileScoped()
      yield* fs.writeFileString(htpasswd, `bob:${bcrypt}\n`)
      const { url } = yield* serving({ dir, htpasswd }, layoutsLayer)
      for (const headers of [{}, basic("eve:secret")]) {
        // Fewer than the ten wrong logins after which every answer is another.
        for (
          const [what, method, one, other] of "authorization" in headers
            ? pairs.slice(0, 3)
            : [...pairs, ...reads]
        ) {
          const known = yield* told(`${url}/v2/${one}`, { method, headers })
          assert.strictEqual(known.status, 401, what)
          assert.deepStrictEqual(known, yield* told(`${url}/v2/${other}`, { method, headers }), what)
        }
      }
      assert.isFalse(yield* fs.exists(`${dir}/b`))
      const mount = { method: "POST", headers: basic("bob:secret") }
      assert.strictEqual((yield* ask(`${url}/v2/b/blobs/uploads/?mount=${here}&from=a`, mount)).status, 201)
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.scoped))

  it.live("is, where nobody may write, not mounted, whether it exists or not", () =>
    Effect.gen(function*() {
      const { dir, fs } = yield* filled
      const { url } = yield* serving({ dir, isReadOnly: true }, layoutsLayer)
      for (const [what, method, one, other] of pairs) {
        const known = yield* told(`${url}/v2/${one}`, { method })
        assert.strictEqual(known.status, 405, what)
        assert.deepStrictEqual(known, yield* told(`${url}/v2/${other}`, { method }), what)
      }
      assert.isFalse(yield* fs.exists(`${dir}/b`))
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.scoped))

  it.live("is not read through a repository that does not have it", () =>
    Effect.gen(function*() {
      const { url } = yield* serving()
      yield* pushImage(url, "a", "v1", "content")
      yield* pushImage(url, "b", "v1", "other")
      for (const method of ["GET", "HEAD", "DELETE"]) {
        const known = yield* told(`${url}/v2/b/blobs/${here}`, { method })
        assert.strictEqual(known.status, 404, method)
        assert.deepStrictEqual(known, yield* told(`${url}/v2/b/blobs/${absent}`, { method }), method)
      }
      assert.strictEqual((yield* ask(`${url}/v2/a/blobs/${here}`)).text, "content")
    }).pipe(Effect.scoped))
})
