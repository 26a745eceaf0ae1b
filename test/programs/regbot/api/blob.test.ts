import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { blob } from "../../../../src/programs/regbot/api/blob.ts"
import { objectOf } from "../../../../src/programs/regbot/api/objects.ts"
import { ScriptRun } from "../../../../src/programs/regbot/ScriptRun.ts"
import { parseRef } from "../../../../src/schemas/Ref.ts"
import { fromBytes, fromPump, pumpOf, verified } from "../../../../src/services/Bytes.ts"
import { descriptorOf, encode } from "../../../fixtures/content.ts"
import { answer, objectFrom, raised, scriptRuns } from "../../../support/scriptRuns.ts"
import { imageRuns } from "./imageRuns.ts"

const { functions, methods = {} } = blob
const { get, head, put } = functions
const hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
const absent = `sha256:${"0".repeat(64)}`

describe("blob.put", () => {
  it.effect("pushes a string, and returns its digest and size", () => {
    const { at, layer, log } = scriptRuns()
    return Effect.gen(function*() {
      assert.deepStrictEqual((yield* answer(put, "r.test/a", "hello")).values, [hello, 5])
      const found = yield* at("r.test/a").headBlob(descriptorOf(encode("hello")))
      assert.strictEqual(found.descriptor.size, 5)
      assert.deepStrictEqual(log, ["DEBUG Put blob script=s ref=r.test/a:latest"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("pushes bytes that are no text", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      const { values } = yield* answer(put, "r.test/a", new Uint8Array([0, 255]))
      assert.deepStrictEqual(values, ["sha256:06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8", 2])
    }).pipe(Effect.provide(layer))
  })

  it.effect("pushes a configuration as compact JSON", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      const body = encode("{\"os\": \"linux\",\n \"author\": \"a<b\"}\n")
      const ref = yield* Effect.fromResult(parseRef("r.test/a:v1"))
      const descriptor = descriptorOf(body)
      const config = objectOf("imageconfig", { ref, body, descriptor, manifest: { ref, descriptor } })
      // Of {"os":"linux","author":"a\u003cb"}
      assert.deepStrictEqual((yield* answer(put, "r.test/a", config)).values, [
        "sha256:d49476c1a51e9bdc8c57874489894c3dd19360abc87dfae68bfe763356e58969",
        34
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("pushes a blob of another place", () => {
    const { at, layer } = scriptRuns()
    return Effect.gen(function*() {
      yield* answer(put, "r.test/a", "hello")
      const found = yield* objectFrom(get, "r.test/a", hello)
      assert.deepStrictEqual((yield* answer(put, "s.test/b", found)).values, [hello, 5])
      assert.deepStrictEqual((yield* answer(methods["put"], found, "t.test/c")).values, [hello, 5])
      for (const name of ["s.test/b", "t.test/c"]) yield* at(name).headBlob(descriptorOf(encode("hello")))
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses any other content", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      for (const content of [undefined, 12, true, { list: [], fields: new Map() }]) {
        assert.strictEqual(yield* raised(put, "r.test/a", content), "bad argument #2: blob content expected")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("only says so in a dry run, which can read it", () => {
    const runs = imageRuns({ isDry: true })
    return Effect.gen(function*() {
      assert.deepStrictEqual((yield* answer(put, "r.test/a", "hello")).values, [hello, 5])
      const found = yield* objectFrom(get, "r.test/a", hello)
      assert.deepStrictEqual((yield* answer(methods["read"], found)).values, [encode("hello")])
      assert.strictEqual(runs.log[0], "INFO Put blob script=s ref=r.test/a:latest dry-run=true")
      const missing = yield* Effect.flip(runs.at("r.test/a").headBlob(descriptorOf(encode("hello"))))
      assert.strictEqual(missing.reason._tag, "NotFound")
    }).pipe(Effect.provide(runs.layer))
  })
})

describe("blob.get and blob.head", () => {
  it.effect("take the digest from the reference or an argument of their own", () => {
    const { layer, log } = scriptRuns()
    return Effect.gen(function*() {
      yield* answer(put, "r.test/a", "hello")
      for (const look of [get, head]) {
        const named = yield* objectFrom(look, `r.test/a@${hello}`)
        const given = yield* objectFrom(look, "r.test/a", hello)
        assert.deepStrictEqual([named.kind, given.kind], ["blob", "blob"])
      }
      assert.strictEqual(log[1], `DEBUG Retrieve blob script=s ref=r.test/a@${hello} digest=${hello}`)
    }).pipe(Effect.provide(layer))
  })

  it.effect("are methods of blobs too", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      yield* answer(put, "r.test/a", "hello")
      const found = yield* objectFrom(get, "r.test/a", hello)
      assert.deepStrictEqual(yield* objectFrom(methods["get"], found), found)
      assert.deepStrictEqual(yield* objectFrom(methods["head"], found), found)
    }).pipe(Effect.provide(layer))
  })

  it.effect("raise what is not there, and what is no digest", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      assert.match(
        yield* raised(get, "r.test/a", absent),
        new RegExp(`^Failed retrieving "r.test/a:latest" blob "${absent}": .*not found`)
      )
      assert.match(yield* raised(get, "r.test/a"), /^Failed retrieving "r.test\/a:latest" blob "": invalid/)
      assert.strictEqual(
        yield* raised(get, "r.test/a", { list: [], fields: new Map() }),
        "bad argument #2: string expected, got table"
      )
      assert.strictEqual(yield* raised(methods["head"], "x"), "bad argument #1: blob expected, got string")
    }).pipe(Effect.provide(layer))
  })
})

describe("b:read", () => {
  const { read } = methods

  it.effect("gives the content up to a limit", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      yield* answer(put, "r.test/a", "hello")
      const found = yield* objectFrom(get, "r.test/a", hello)
      assert.deepStrictEqual((yield* answer(read, found)).values, [encode("hello")])
      assert.deepStrictEqual((yield* answer(read, found, 5)).values, [encode("hello")])
      assert.strictEqual(
        yield* raised(read, found, 4),
        `Failed retrieving "r.test/a:latest" blob "${hello}": size limit exceeded: more than 4 bytes`
      )
      assert.strictEqual(yield* raised(read, found, "4"), "bad argument #2: number expected, got string")
      assert.strictEqual(yield* raised(read, found, -1), "bad argument #2: size expected")
      assert.strictEqual(yield* raised(read, found, NaN), "bad argument #2: size expected")
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives 4 MiB at most when it is not told", () => {
    const { layer } = scriptRuns()
    return Effect.gen(function*() {
      const { values: [digest] } = yield* answer(put, "r.test/a", new Uint8Array(4 * 1024 * 1024 + 1))
      const found = yield* objectFrom(get, "r.test/a", digest)
      assert.match(yield* raised(read, found), /size limit exceeded: more than 4194304 bytes$/)
      const { values: [content] } = yield* answer(read, found, 1e9)
      assert.strictEqual(content instanceof Uint8Array ? content.length : 0, 4_194_305)
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives nothing that does not fit its digest, and asks once more for it", () => {
    const runs = scriptRuns()
    let [asked, damages] = [0, 1]
    const damaged = Layer.effect(
      ScriptRun,
      Effect.map(ScriptRun, (run) =>
        ScriptRun.of({
          ...run,
          open: (location) =>
            Effect.map(run.open(location), (repository) => ({
              ...repository,
              blob: (it) =>
                fromPump((sink) =>
                  Effect.suspend(() => {
                    asked++
                    const sent = damages-- > 0 ? "HELLO" : "hello"
                    return pumpOf(verified(fromBytes(encode(sent)), it))(sink)
                  })
                )
            }))
        }))
    )
    return Effect.gen(function*() {
      yield* answer(put, "r.test/a", "hello")
      const found = yield* objectFrom(get, "r.test/a", hello)
      assert.deepStrictEqual((yield* answer(read, found)).values, [encode("hello")])
      assert.strictEqual(asked, 2)
      damages = 2
      assert.match(yield* raised(read, found), /digest mismatch/)
    }).pipe(Effect.provide(damaged.pipe(Layer.provideMerge(runs.layer))))
  })
})
