import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { nameFilter, tagSetsOf } from "../../../src/programs/regsync/filter.ts"

interface Filter {
  readonly allow?: ReadonlyArray<string>
  readonly deny?: ReadonlyArray<string>
  readonly semverRange?: ReadonlyArray<string>
}

const filtered = ({ allow = [], deny = [], semverRange = [] }: Filter, names: ReadonlyArray<string>) =>
  Effect.map(nameFilter({ allow, deny, semverRange }), (isWanted) => names.filter(isWanted))

const names = [
  "latest",
  "1",
  "1.2",
  "1.2.0",
  "v1.2.3",
  "2.0.0-rc2",
  "2.0.0-rc11",
  "2.0.0",
  "2.0.0-alpine",
  "edge",
  "b|a"
]

const rows: ReadonlyArray<readonly [Filter, ReadonlyArray<string>]> = [
  [{}, names],
  [{ allow: ["latest"] }, ["latest"]],
  [{ allow: ["a"] }, []],
  [{ allow: ["1.2"] }, ["1.2"]],
  [{ allow: ["1.*"] }, ["1", "1.2", "1.2.0"]],
  [{ allow: ["v?\\d+(\\.\\d+)*"] }, ["1", "1.2", "1.2.0", "v1.2.3", "2.0.0"]],
  // Without a group: begins with «latest» or ends with «edge».
  [{ allow: ["latest|edge"] }, ["latest", "edge"]],
  [{ allow: ["1|alpine"] }, ["1", "1.2", "1.2.0", "2.0.0-alpine"]],
  [{ allow: ["(1|alpine)"] }, ["1"]],
  [{ allow: [""] }, []],
  [{ deny: [""] }, names],
  [{ deny: ["[\\d].*", "v.*"] }, ["latest", "edge", "b|a"]],
  [{ allow: ["2.*"], deny: [".*-rc\\d+"] }, ["2.0.0", "2.0.0-alpine"]],
  [{ allow: ["LATEST"] }, []],
  [{ allow: ["(?i)LATEST"] }, ["latest"]],
  [{ allow: ["[[:alpha:]]+"] }, ["latest", "edge"]],
  [{ allow: ["\\Qb|a\\E"] }, ["b|a"]],
  [{ semverRange: [">=1.2.0 <2.0.0"] }, ["1.2", "1.2.0", "v1.2.3", "2.0.0-rc2", "2.0.0-rc11", "2.0.0-alpine"]],
  [{ semverRange: ["^1.2"] }, ["1.2", "1.2.0", "v1.2.3", "2.0.0-rc2", "2.0.0-rc11", "2.0.0-alpine"]],
  [{ semverRange: ["~1.2"] }, ["1.2", "1.2.0", "v1.2.3"]],
  [{ semverRange: ["1", "2.0.0"] }, ["1", "2.0.0"]],
  [{ semverRange: [">2.0.0-rc2"] }, ["2.0.0-rc11", "2.0.0"]],
  [{ semverRange: ["", ""] }, names],
  [{ semverRange: [">=1"], allow: ["latest", "1.*"] }, ["1", "1.2", "1.2.0"]],
  [{ semverRange: [">=1"], deny: [".*-.*"] }, ["1", "1.2", "1.2.0", "v1.2.3", "2.0.0"]]
]

describe("a filter of names", () => {
  for (const [filter, expected] of rows) {
    it.effect(`${JSON.stringify(filter)} lets ${expected.length} through`, () =>
      Effect.map(filtered(filter, names), (found) => assert.deepStrictEqual(found, expected)))
  }

  const problems: ReadonlyArray<readonly [Filter, string]> = [
    [{ allow: ["(bad"] }, "invalid allow pattern \"(bad\": error parsing regexp: missing closing ): `^(bad$`"],
    [
      { deny: ["a", "b**"] },
      "invalid deny pattern \"b**\": error parsing regexp: invalid nested repetition operator: `**`"
    ],
    [
      { allow: ["(?=x)"] },
      "invalid allow pattern \"(?=x)\": error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
    ],
    [
      { semverRange: [">= 1"] },
      "invalid semver range \">= 1\": invalid constraint version: \"\" (no space between operator and version)"
    ],
    [{ semverRange: [" "] }, "invalid semver range \" \": empty constraint"],
    [{ semverRange: ["1.x"] }, "invalid semver range \"1.x\": invalid constraint version: \"1.x\""],
    [{ semverRange: ["!=1"] }, "invalid semver range \"!=1\": invalid constraint version: \"!=1\""]
  ]
  for (const [filter, expected] of problems) {
    it.effect(`${JSON.stringify(filter)} cannot be read`, () =>
      Effect.map(Effect.flip(filtered(filter, names)), ({ message }) => assert.strictEqual(message, expected)))
  }

  it("is one of several sets, an entry's own the last of them", () => {
    const set = (...allow: ReadonlyArray<string>) => ({ allow, deny: [], semverRange: [] })
    assert.deepStrictEqual(tagSetsOf({ tags: set(), tagSets: [] }), [])
    assert.deepStrictEqual(tagSetsOf({ tags: set("a"), tagSets: [set("b"), set()] }), [set("b"), set(), set("a")])
  })
})
