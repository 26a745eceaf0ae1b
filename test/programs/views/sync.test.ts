import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { compile } from "../../../src/lib/gotemplate.ts"
import { compactJson, marshal } from "../../../src/lib/json.ts"
import { syncView } from "../../../src/programs/views/sync.ts"
import { loading } from "../regsync/loading.ts"

const text = `sync:
- source: a
  target: b
  type: image
  tags: {allow: [x], semverRange: [">1"]}
  repos: {allow: [r]}
  tagSets: [{deny: [q]}]
  platforms: [p]
  referrerFilters: [{artifactType: q, annotations: {b: c, a: d}}]
  interval: 90s
  hooks: {pre: {type: exec, params: [u]}}
`

/** What templates of the Go tool print of the same entry. */
const rows: ReadonlyArray<readonly [template: string, expected: string]> = [
  ["{{ .Tags }} {{ .Repos }} {{ .TagSets }}", "{[x] [] [>1]} {[r] []} [{[] [q] []}]"],
  ["{{ .RateLimit }} {{ .Interval }} {{ .Interval.Seconds }}", "{0 5m0s} 1m30s 90"],
  ["{{ .ReferrerFilters }}", "[{q map[a:d b:c]}]"],
  ["{{ .DigestTags }} {{ if .DigestTags }}set{{ end }}", "false set"],
  ["{{ .Hooks.Pre.Type }} {{ .Hooks.Post }} {{ if .Hooks.Post }}y{{ else }}n{{ end }}", "exec <nil> n"],
  ["{{ len .Platforms }} {{ index .Tags.Allow 0 }} {{ len .MediaTypes }}", "1 x 4"],
  ["{{ printf \"%T %T %T\" . .DigestTags .Hooks.Pre }}", "main.ConfigSync *bool *main.ConfigHook"]
]

describe("an entry in a template", () => {
  for (const [template, expected] of rows) {
    it.effect(`prints ${template} as Go does`, () =>
      Effect.gen(function*() {
        const [entry] = (yield* loading(text)).config.sync
        if (entry === undefined) throw new Error("no entry")
        const compiled = compile(template)
        const parts: Array<string> = []
        const problem = "problem" in compiled ? compiled.problem : compiled.render(syncView(entry), (it) => {
          parts.push(it)
        })
        assert.isUndefined(problem)
        assert.strictEqual(parts.join(""), expected)
      }))
  }

  it.effect("is JSON by the keys of the file", () =>
    Effect.gen(function*() {
      const [entry] = (yield* loading(text)).config.sync
      if (entry === undefined) throw new Error("no entry")
      const json = compactJson(marshal(syncView(entry)))
      assert.include(
        json,
        "\"tags\":{\"allow\":[\"x\"],\"deny\":null,\"semverRange\":[\">1\"]},\"tagSets\":[{\"allow\":null,\"deny\":[\"q\"]}]"
      )
      assert.include(
        json,
        "\"interval\":90000000000,\"schedule\":\"\",\"ratelimit\":{\"min\":0,\"retry\":300000000000}"
      )
      assert.include(
        json,
        "\"hooks\":{\"pre\":{\"type\":\"exec\",\"params\":[\"u\"]},\"post\":null,\"unchanged\":null}"
      )
    }))
})
