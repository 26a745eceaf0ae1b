import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Sink, Stdio } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { noValue, Struct } from "../../src/lib/gotemplate/value.ts"
import { blobView } from "../../src/programs/views/blob.ts"
import { Formatter } from "../../src/services/Formatter.ts"

const written = (template: string, view: unknown, named = false) =>
  Effect.gen(function*() {
    const parts: Array<string | Uint8Array> = []
    const stdio = Stdio.layerTest({
      stdout: () => Sink.forEach((part: string | Uint8Array) => Effect.sync(() => parts.push(part)))
    })
    const formatter = yield* Formatter.pipe(Effect.provide(Layer.provide(Formatter.layer, stdio)))
    const problem = yield* formatter.write(template, view, { named }).pipe(
      Effect.as(""),
      Effect.catch(({ message }) => Effect.succeed(message))
    )
    return { bytes: Buffer.concat(parts.map((it) => Buffer.from(it))), problem }
  })

const bytes = Uint8Array.from([0xff, 0x00, 0x80, 0x0a])
const blob = blobView({
  descriptor: { mediaType: "text/plain", size: 4 },
  headers: { "docker-content-digest": ["sha256:aa"], "content-type": ["text/plain"] },
  bytes
})

describe("Formatter", () => {
  it.effect("spells what acts on a terminal out where nobody asked for a form, as the same JSON", () =>
    Effect.gen(function*() {
      const label = "\u009b2J\u202e\u2028é"
      const { bytes } = yield* written("{{printPretty .}}", label)
      assert.strictEqual(bytes.toString(), "\"\\u009b2J\\u202e\\u2028é\"\n")
      assert.deepStrictEqual(JSON.parse(bytes.toString()), label)
    }))

  it.effect("keeps what was written before an error", () =>
    Effect.gen(function*() {
      const { bytes, problem } = yield* written("{{.Name}} {{.Nope}}", new Struct("t.T", { Name: "a" }))
      assert.strictEqual(bytes.toString(), "a ")
      assert.strictEqual(
        problem,
        `template: out:1:12: executing "out" at <.Nope>: can't evaluate field Nope in type t.T`
      )
    }))
  it.effect("writes bytes as they are, without a newline of its own", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([...(yield* written("raw-body", blob, true)).bytes], [...bytes])
      assert.deepStrictEqual([...(yield* written("{{printPretty .}}", blob)).bytes], [...bytes])
    }))
  it.effect("prints headers by canonical name, sorted", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* written("headers", blob, true)).bytes.toString(),
        "Content-Type: text/plain\nDocker-Content-Digest: sha256:aa\n"
      )
      assert.strictEqual((yield* written("headers", blob)).bytes.toString(), "headers")
    }))
  it.effect("gives empty text for files and variables that are missing, odd or large", () =>
    Effect.gen(function*() {
      const dir = mkdtempSync(join(tmpdir(), "formatter-"))
      writeFileSync(join(dir, "small"), "  text \n")
      writeFileSync(join(dir, "large"), Buffer.alloc(1024 * 1024 + 1, 0x61))
      const view = new Struct("t.T", { Dir: dir })
      const result = yield* written(
        `[{{file (print .Dir "/small")}}][{{file (print .Dir "/large")}}][{{file .Dir}}][{{file "/dev/zero"}}][{{env "REGCLIENT_UNSET"}}]`,
        view
      )
      rmSync(dir, { recursive: true })
      assert.strictEqual(result.bytes.toString(), "[text][][][][]")
      assert.strictEqual(result.problem, "")
    }))

  it.effect("expands texts of configurations, and leaves what is no template", () =>
    Effect.gen(function*() {
      const { expand } = yield* Formatter.pipe(Effect.provide(Layer.provide(Formatter.layer, Stdio.layerTest({}))))
      const view = new Struct("t.T", { Name: "a" })
      const failure = (template: string) => Effect.map(Effect.flip(expand(template, view)), ({ message }) => message)
      assert.strictEqual(yield* expand("}} plain {", view), "}} plain {")
      assert.strictEqual(yield* expand("{{ .Name }}-{{ upper .Name }}", view), "a-A")
      assert.strictEqual(yield* expand("{{ . }}", noValue), "<no value>")
      assert.strictEqual(yield* failure("{{ nope }}"), "template: out:1: function \"nope\" not defined")
      assert.strictEqual(
        yield* failure("{{ printf \"%1000000s\" .Name }}{{ printf \"%100000s\" .Name }}"),
        "template: out: more than 1048576 bytes of output"
      )
    }))
})
