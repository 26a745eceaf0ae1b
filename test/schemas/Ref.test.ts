import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { commonName, parseHost, parseRef } from "../../src/schemas/Ref.ts"

const hex = "0123456789abcdef".repeat(4)

describe("parseRef", () => {
  const accepted: ReadonlyArray<readonly [string, string]> = [
    ["alpine", "docker.io/library/alpine:latest"],
    ["docker.io/alpine", "docker.io/library/alpine:latest"],
    ["regclient/regctl:edge", "docker.io/regclient/regctl:edge"],
    ["index.docker.io/library/alpine", "docker.io/library/alpine:latest"],
    ["registry-1.docker.io/library/alpine", "docker.io/library/alpine:latest"],
    ["example.com/group/image:v42", "example.com/group/image:v42"],
    ["EXAMPLE/group-image:V42", "EXAMPLE/group-image:V42"],
    ["Example-1/image:1.0-BETA", "Example-1/image:1.0-BETA"],
    ["example-A/group/image:v42", "example-A/group/image:v42"],
    ["example./g/roup/image:a", "example./g/roup/image:a"],
    ["example.:5000/g/roup/image:a", "example.:5000/g/roup/image:a"],
    ["e.xample.co/g-r.o__u_p/im----age:a", "e.xample.co/g-r.o__u_p/im----age:a"],
    ["e.xample.co/g/roup/image:__a--b..5__", "e.xample.co/g/roup/image:__a--b..5__"],
    ["localhost/group/image:v42", "localhost/group/image:v42"],
    ["localhost:5000/group/image:v42", "localhost:5000/group/image:v42"],
    ["127.0.0.1:5000/image:v42", "127.0.0.1:5000/image:v42"],
    ["[::1]:5000/image:v42", "[::1]:5000/image:v42"],
    ["[fddd:1222:1222:1222::ac29:5a6a]/image:v42", "[fddd:1222:1222:1222::ac29:5a6a]/image:v42"],
    [`registry:5000/group/image@sha256:${hex}`, `registry:5000/group/image@sha256:${hex}`],
    ["ocidir://path/to/dir", "ocidir://path/to/dir"],
    ["ocidir://path/to/DIR:v1.2.3", "ocidir://path/to/DIR:v1.2.3"],
    [`ocidir://path/2/dir@sha256:${hex}`, `ocidir://path/2/dir@sha256:${hex}`],
    ["ocidir://path/2/~dir~/+rules_oci+/examples:latest", "ocidir://path/2/~dir~/+rules_oci+/examples:latest"],
    ["ocifile://path/to/file.tgz:v1.2.3", "ocifile://path/to/file.tgz:v1.2.3"],
    [`example.com/a:v1@sha256:${hex}`, `example.com/a:v1@sha256:${hex}`]
  ]
  it.each(accepted)("reads %s", (text, name) => {
    assert.strictEqual(Result.getOrThrow(Result.map(parseRef(text), commonName)), name)
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["unknown://repo:tag", "invalid reference, unknown scheme \"unknown\" in \"unknown://repo:tag\""],
    ["-docker.io/project/image:tag", "invalid reference \"-docker.io/project/image:tag\""],
    ["docker-.io/project/image:tag", "invalid reference \"docker-.io/project/image:tag\""],
    ["[1::2::3]/project/image:tag", "invalid reference \"[1::2::3]/project/image:tag\""],
    ["[::]/project/image:tag", "invalid reference \"[::]/project/image:tag\""],
    ["::1/project/image:tag", "invalid reference \"::1/project/image:tag\""],
    [
      "docker.io/Upper/Case/Repo:tag",
      "invalid reference \"docker.io/Upper/Case/Repo:tag\", repo must be lowercase"
    ],
    ["project/-image:tag", "invalid reference \"project/-image:tag\""],
    ["project/image-:tag", "invalid reference \"project/image-:tag\""],
    ["project/image___x:tag", "invalid reference \"project/image___x:tag\""],
    ["project/star*:tag", "invalid reference \"project/star*:tag\""],
    ["project/image:tag^1", "invalid reference \"project/image:tag^1\""],
    [`project/image:${"a".repeat(129)}`, `invalid reference "project/image:${"a".repeat(129)}"`],
    ["project/image@sha256:12345", "invalid reference \"project/image@sha256:12345\""],
    [`project/image@sha256:${hex.slice(1)}z`, `invalid reference "project/image@sha256:${hex.slice(1)}z"`],
    ["ocidir://invalid*filename:tag", "invalid reference, invalid path for scheme \"ocidir\": invalid*filename:tag"],
    ["ocidir://filename:tag=fail", "invalid reference, invalid path for scheme \"ocidir\": filename:tag=fail"],
    ["ocidir://filename@sha256:abcd", "invalid reference, invalid path for scheme \"ocidir\": filename@sha256:abcd"],
    // Of the right form, and no address.
    ["example.com:65536/image", "invalid reference \"example.com:65536/image\""],
    ["999.999.999.999/image", "invalid reference \"999.999.999.999/image\""],
    ["1.2.3.4.5/image", "invalid reference \"1.2.3.4.5/image\""],
    ["[1:2:3:4:5:6:7::8:9]/image", "invalid reference \"[1:2:3:4:5:6:7::8:9]/image\""],
    ["localhost:5000", "invalid reference \"localhost:5000\""],
    ["localhost", "invalid reference \"localhost\""],
    ["", "invalid reference \"\""]
  ]
  it.each(refused)("refuses %s", (text, message) => {
    assert.strictEqual(Result.getOrThrow(Result.flip(parseRef(text))).message, message)
  })

  it("answers at once to hostile text", () => {
    assert.isTrue(Result.isFailure(parseRef("a".repeat(10_000_000))))
    assert.isTrue(Result.isFailure(parseRef(`${"a-".repeat(2_000)}!`)))
  })
})

describe("parseHost", () => {
  it.each(["docker.io", "example.com:5000", "EXAMPLE", "localhost", "[::1]:5000"])("reads %s", (text) => {
    assert.strictEqual(Result.getOrThrow(parseHost(text)), text)
  })
  it.each(["example", "::1:5000", "docker-.io", "example.com:99999"])("refuses %s", (text) => {
    assert.strictEqual(Result.getOrThrow(Result.flip(parseHost(text))).message, `parsing failed "${text}"`)
  })
})
