import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { decodeRegctlConfig, encodeRegctlConfig } from "../../src/schemas/RegctlConfig.ts"

const again = (text: string) => encodeRegctlConfig(Result.getOrThrow(decodeRegctlConfig(text)))
const refused = (text: string) => Result.getOrThrow(Result.flip(decodeRegctlConfig(text)))

describe("decodeRegctlConfig", () => {
  it.each([
    ["", "{}"],
    ["  \n", "{}"],
    ["null", "{}"],
    ["\uFEFF{}", "{}"],
    ["{\"version\":1,\"foo\":{\"bar\":1}}", "{\n  \"version\": 1\n}"],
    [
      "{\"HOSTS\":{\"a.io\":{\"USER\":\"x\",\"unknown\":[1]}}}",
      "{\n  \"hosts\": {\n    \"a.io\": {\n      \"user\": \"x\"\n    }\n  }\n}"
    ],
    ["{\"hosts\":{\"a.io\":null},\"blobLimit\":null}", "{\n  \"hosts\": {\n    \"a.io\": {}\n  }\n}"],
    [
      "{\"hosts\":{\"registry-1.docker.io\":{\"user\":\"<x>\"}}}",
      "{\n  \"hosts\": {\n    \"docker.io\": {\n      \"user\": \"\\u003cx\\u003e\"\n    }\n  }\n}"
    ],
    [
      "{\"incDockerCred\":false,\"hosts\":{\"a\":{\"credExpire\":60000000000,\"tls\":\"InSecure\"}},\"hostDefault\":{\"reqConcurrent\":7}}",
      "{\n  \"hosts\": {\n    \"a\": {\n      \"tls\": \"insecure\",\n      \"credExpire\": \"1m0s\"\n    }\n  },\n" +
      "  \"hostDefault\": {\n    \"reqConcurrent\": 7\n  },\n  \"incDockerCred\": false\n}"
    ]
  ])("reads %j", (text, written) => {
    assert.strictEqual(again(text), written)
  })

  it("lists every wrong value with its place and without the value", () => {
    const text = "{\n \"blobLimit\": -1,\n \"hosts\": {\n  \"a.io\": {\"tls\":\"bad\", \"pass\": 123456},\n" +
      "  \"b.io\": {\"reqConcurrent\": -2, \"credExpire\":\"soon\", \"mirrors\":\"m\"}\n }\n}"
    const { _tag, detail } = refused(text)
    assert.strictEqual(_tag, "ConfigInvalid")
    assert.deepStrictEqual(detail.split("; "), [
      "[2:15] blobLimit: expected a number of at least 0",
      "[4:18] hosts.a.io.tls: unknown TLS value \"bad\"",
      "[4:33] hosts.a.io.pass: Expected string",
      "[5:29] hosts.b.io.reqConcurrent: expected a number of at least 0",
      "[5:46] hosts.b.io.credExpire: expected a duration such as 1h0m0s",
      "[5:64] hosts.b.io.mirrors: Expected array"
    ])
  })

  it("refuses a newer version", () => {
    assert.deepStrictEqual(refused("{\"version\":2,\"hosts\":[]}"), {
      _tag: "ConfigVersion",
      detail: "unsupported config version"
    })
  })

  it("tells where the syntax breaks", () => {
    assert.deepStrictEqual(refused("{\"hosts\": {\"a\": {\"pass\": \"s3cret\" \"user\": \"u\"}}}"), {
      _tag: "ConfigSyntax",
      detail: "[1:35] expected \",\" or \"}\": {\"hosts\": {\"a\": {\"pass\": [censored] \"user\": [censored]}}}"
    })
  })

  it("changes no prototype", () => {
    const config = Result.getOrThrow(
      decodeRegctlConfig("{\"__proto__\":{\"x\":1},\"hosts\":{\"__proto__\":{\"user\":\"u\"}}}")
    )
    assert.isUndefined(Object.getOwnPropertyDescriptor(Object.prototype, "user"))
    assert.isUndefined((config as { x?: unknown }).x)
  })

  it("refuses a number of nanoseconds that could not be written again", () => {
    for (const number of ["1e999", "99999999999999999999999"]) {
      assert.deepStrictEqual(refused(`{"hosts":{"a":{"credExpire":${number}}}}`)._tag, "ConfigInvalid")
    }
  })
})
