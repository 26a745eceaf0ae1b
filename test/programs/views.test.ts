import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { compile } from "../../src/lib/gotemplate.ts"
import { templateFunctions } from "../../src/lib/templateFunctions.ts"
import { digestView } from "../../src/programs/views/digest.ts"
import { imageConfigView } from "../../src/programs/views/imageConfig.ts"
import { manifestView } from "../../src/programs/views/manifest.ts"
import { referenceView } from "../../src/programs/views/reference.ts"
import { tagsView } from "../../src/programs/views/tags.ts"
import { decodeManifest } from "../../src/schemas/Manifest.ts"
import { parseRef } from "../../src/schemas/Ref.ts"
import { namedFormat } from "../../src/services/Formatter.ts"

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/views/${name}`, import.meta.url), "utf8"))

/** Recorded from the Go tool over a layout of these documents: view, document, format, output, error. */
const recorded: ReadonlyArray<readonly [string, string, string, string, string]> = fixture("cases.json")
const bodies: Readonly<Record<string, string>> = fixture("bodies.json")
const bytes = (name: string) => new TextEncoder().encode(bodies[name])
const ref = (text: string) => Result.getOrThrow(parseRef(text))

const schema1 = { mediaType: "application/vnd.docker.distribution.manifest.v1+json" }
const manifest = (name: string) =>
  Result.getOrThrow(decodeManifest(bytes(name), { name, ...(name === "s1" ? schema1 : {}) }))

const viewOf = (kind: string, name: string) => {
  switch (kind) {
    case "manifest":
    case "head": {
      const { descriptor } = manifest(name)
      const whole = kind === "head" ? {} : { manifest: manifest(name) }
      return manifestView({ ref: ref(`ocidir://lay:${name}`), descriptor, headers: {}, ...whole })
    }
    case "config": {
      const { config } = manifest("v1") as { readonly config: Parameters<typeof imageConfigView>[0]["descriptor"] } // an image
      return imageConfigView({ descriptor: config, headers: {}, bytes: bytes(name) })
    }
    case "ref":
      return referenceView(ref(name))
    default:
      return digestView("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }
}

const functions = templateFunctions({ env: () => undefined, file: () => undefined, now: () => 0, warn: () => {} })

const render = (text: string, view: unknown): readonly [string, string] => {
  let written = ""
  const template = compile(namedFormat(text), { functions })
  const problem = "problem" in template ? template.problem : template.render(view, (piece) => {
    written += piece
  })
  return [written, problem ?? ""]
}

describe("views as the Go tool prints them", () => {
  for (const [kind, name, format, output, problem] of recorded) {
    it(`${kind} ${name} ${format}`, () => assert.deepStrictEqual(render(format, viewOf(kind, name)), [output, problem]))
  }
})

describe("views of documents from outside", () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  const hostile = `{"toString":1,"valueOf":1}`

  it("of a list of tags can be made whatever its extra keys hold", () => {
    const entry = `{"mediaType":${hostile},"timeCreatedMs":"1e999","imageSizeBytes":${hostile},"tag":[1,"v1"]}`
    const body = encode(`{"name":"app","tags":["v1"],"manifest":{"sha256:1":${entry}},"child":["x",{}]}`)
    const view = tagsView({ name: "app", tags: ["v1"], body, headers: {} })
    assert.deepStrictEqual(render("{{range .Manifests}}{{.Size}} {{.Tags}} {{.Created}}{{end}} {{.Children}}", view), [
      "0 [v1] 1970-01-01 00:00:00 +0000 UTC [x]",
      ""
    ])
  })

  it("of a schema 1 manifest can be made whatever its history holds", () => {
    const text = `{"schemaVersion":1,"fsLayers":[],"history":[{"v1Compatibility":${hostile}}]}`
    const found = Result.getOrThrow(decodeManifest(encode(text), { name: "s1" }))
    const view = manifestView({ ref: ref("app"), descriptor: found.descriptor, headers: {}, manifest: found })
    assert.deepStrictEqual(render("{{len .History}}", view), ["1", ""])
  })
})
