import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { compile, type Options } from "../../src/lib/gotemplate.ts"
import { bytesOf, Struct, textOf } from "../../src/lib/gotemplate/value.ts"
import { data, functions } from "./gotemplate/sample.ts"

/** Text written, and the error or nothing. */
const render = (text: string, view: unknown = data, options: Options = { functions }): readonly [string, string] => {
  let written = ""
  const template = compile(text, options)
  const problem = "problem" in template ? template.problem : template.render(view, (piece) => {
    written += piece
  })
  return [written, problem ?? ""]
}

/** Recorded from Go 1.26 over the same values: template, output, error. */
const recorded: ReadonlyArray<readonly [string, string, string]> = JSON.parse(
  readFileSync(new URL("../fixtures/gotemplate/cases.json", import.meta.url), "utf8")
)

describe("templates as Go renders them", () => {
  for (const [text, output, problem] of recorded) {
    it(JSON.stringify(text), () => assert.deepStrictEqual(render(text), [output, problem]))
  }
})

describe("limits", () => {
  it("stops endless recursion with the place of the call", () => {
    const [, problem] = render(`{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}`)
    assert.strictEqual(
      problem,
      `template: out:1:25: executing "r" at <{{template "r" .}}>: exceeded maximum template depth (500)`
    )
  })
  it("stops endless output after 1 MiB, which stays written", () => {
    const [written, problem] = render(`{{range 1000000000}}xxxxxxxxxx{{end}}`)
    assert.strictEqual(
      problem,
      `template: out:1:20: executing "out" at <xxxxxxxxxx>: output is larger than 1048576 bytes`
    )
    assert.isAtMost(written.length, 1024 * 1024)
  })
  it("stops a loop that writes nothing when its time is up", () => {
    const [, problem] = render(`{{range 1000000000000}}{{end}}`, data, { limits: { time: 20 } })
    assert.match(problem, /^template: out:1:\d+: executing "out" at <.*>: took longer than 0.02s$/)
  })
  it("lets a list of any length be written", () => {
    const tags = Array.from({ length: 20_000 }, () => "x".repeat(100))
    const [written, problem] = render(`{{range .Tags}}{{println .}}{{end}}`, new Struct("List", { Tags: tags }))
    assert.strictEqual(problem, "")
    assert.strictEqual(written.length, 20_000 * 101)
  })
  it("refuses nesting that no one writes", () => {
    const [, problem] = render(`{{${"(".repeat(5_000)}1${")".repeat(5_000)}}}`)
    assert.strictEqual(problem, "template: out:1: max expression depth exceeded")
  })
})

describe("text from outside", () => {
  it("is never taken for a template", () => {
    assert.deepStrictEqual(render("{{.Name}}", new Struct("T", { Name: "{{.Secret}}" })), ["{{.Secret}}", ""])
  })
  it("does not reach what JavaScript objects inherit", () => {
    const [, problem] = render("{{.constructor}}")
    assert.strictEqual(
      problem,
      `template: out:1:2: executing "out" at <.constructor>: can't evaluate field constructor in type main.Data`
    )
    assert.strictEqual(render("{{.Labels.size}}")[0], "<no value>")
    assert.strictEqual(render("{{toString 1}}")[1], `template: out:1: function "toString" not defined`)
  })
})

describe("bytes that are no text", () => {
  it("leave a template as they came", () => {
    const bytes = Uint8Array.from([0x66, 0xff, 0xc3, 0xa9, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x00])
    const [written] = render(`{{printf "%s" .Body}}`, new Struct("T", { Body: bytes }))
    assert.deepStrictEqual([...bytesOf(written)], [...bytes])
    assert.deepStrictEqual([...bytesOf(textOf(bytes))], [...bytes])
  })
  it("can be written as escapes", () => {
    assert.deepStrictEqual([...bytesOf(render(`{{"\\xff\\xc3\\xa9"}}`)[0])], [0xff, 0xc3, 0xa9])
  })
})
