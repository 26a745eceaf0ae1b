import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { compile } from "../../../src/lib/gotemplate.ts"
import { configView, hostView } from "../../../src/programs/views/config.ts"
import { type HostEntry, secretKeys } from "../../../src/schemas/HostEntry.ts"
import { emptyConfig } from "../../../src/schemas/RegctlConfig.ts"

const render = (template: string, view: unknown) => {
  const compiled = compile(template)
  if ("problem" in compiled) return compiled.problem
  let text = ""
  const problem = compiled.render(view, (piece) => {
    text += piece
  })
  return problem ?? text
}

const entry = { tls: "disabled", user: "u", pass: Redacted.make("s3cret"), credExpire: 60_000, reqPerSec: 2.5 } as const

describe("the view of a host", () => {
  it.each([
    ["{{.Name}} {{.TLS}} {{.User}}", "a.io 3 u"],
    ["{{.CredExpire}} {{.Mirrors}} {{.APIOpts}}", "60000000000 [] map[]"],
    ["{{.ReqPerSec}} {{.BlobMax}} {{.RepoAuth}}", "2.5 0 false"],
    ["{{.Pass}}|{{.ClientKey}}", "|"],
    ["{{.Foo}}", "template: out:1:2: executing \"out\" at <.Foo>: can't evaluate field Foo in type *config.Host"]
  ])("renders %s", (template, expected) => {
    assert.strictEqual(render(template, hostView("a.io", entry, secretKeys)), expected)
  })
})

describe("the view of the configuration", () => {
  const hosts = new Map<string, HostEntry>([["b.io", {}], ["a.io", entry]])
  const config = { ...emptyConfig, hosts, incDockerCert: false }
  it.each([
    ["{{.Filename}} {{.Version}} {{.BlobLimit}}", "/c.json 0 0"],
    ["{{.IncDockerCert}} {{.IncDockerCred}} {{.HostDefault}}", "false <nil> <nil>"],
    ["{{range $name, $host := .Hosts}}{{$name}}={{$host.User}};{{end}}", "a.io=u;b.io=;"],
    ["{{(index .Hosts \"a.io\").TLS}}", "3"],
    ["{{.Foo}}", "template: out:1:2: executing \"out\" at <.Foo>: can't evaluate field Foo in type *main.Config"]
  ])("renders %s", (template, expected) => {
    assert.strictEqual(render(template, configView("/c.json", config, secretKeys)), expected)
  })
})
