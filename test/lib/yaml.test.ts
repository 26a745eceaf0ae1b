import { assert, describe, it } from "@effect/vitest"
import { parseYaml, type YamlNode } from "../../src/lib/yaml.ts"

const plain = (node: YamlNode | undefined): unknown => {
  switch (node?.kind) {
    case "map":
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]))
    case "list":
      return node.items.map(plain)
    case "scalar":
      return node.value
    default:
      return undefined
  }
}

const values = (text: string): unknown => {
  const found = parseYaml(text)
  if ("problem" in found) throw new Error(found.problem)
  return plain(found.node)
}

describe("a YAML document", () => {
  it("is the first of several", () => assert.deepStrictEqual(values("a: 1\n---\nb: 2\n"), { a: 1 }))

  for (const text of ["", "# only a comment\n", "---\n"]) {
    it(`of ${JSON.stringify(text)} is empty`, () => assert.isUndefined(values(text) ?? undefined))
  }

  it("may begin with a mark of its encoding and end lines as Windows does", () =>
    assert.deepStrictEqual(values("\ufeffa: 1\r\nb:\r\n  - x\r\n"), { a: 1, b: ["x"] }))

  it("keeps the last of repeated keys and says that it is one", () => {
    const found = parseYaml("a: 1\na: 2\n")
    if ("problem" in found || found.node?.kind !== "map") throw new Error("no map")
    assert.deepStrictEqual(plain(found.node), { a: 2 })
    assert.isTrue(found.node.entries.get("a")?.isRepeated)
  })

  it("merges by position", () => {
    const anchor = "x: &x {type: image, source: a}\n"
    assert.deepStrictEqual(values(`${anchor}y: {<<: *x, type: repository}`), {
      x: { type: "image", source: "a" },
      y: { type: "repository", source: "a" }
    })
    assert.deepStrictEqual(values(`${anchor}y:\n  type: repository\n  <<: *x\n`), {
      x: { type: "image", source: "a" },
      y: { type: "image", source: "a" }
    })
    assert.deepStrictEqual(values(`${anchor}y: {<<: [{type: first}, *x], "<<": text}`), {
      x: { type: "image", source: "a" },
      y: { type: "first", source: "a", "<<": "text" }
    })
  })

  it("keeps how scalars were written", () => {
    const found = parseYaml(`[3.10, 007, "3", yes, null, ~, 0x10]`)
    if ("problem" in found || found.node?.kind !== "list") throw new Error("no list")
    assert.deepStrictEqual(
      found.node.items.map((it) => it.kind === "scalar" ? [it.text, it.value, it.isQuoted] : []),
      [
        ["3.10", 3.1, false],
        ["007", 7, false],
        ["3", "3", true],
        ["yes", "yes", false],
        ["null", null, false],
        ["~", null, false],
        ["0x10", 16, false]
      ]
    )
  })

  it("makes no prototypes", () => {
    const found = parseYaml("__proto__: {polluted: 1}\nconstructor: 2\n")
    if ("problem" in found || found.node?.kind !== "map") throw new Error("no map")
    assert.deepStrictEqual([...found.node.entries.keys()], ["__proto__", "constructor"])
  })

  it("uses one anchor 2,000 times", () => {
    const uses = Array.from({ length: 2_000 }, (_, n) => `  - {<<: *x, source: s${n}}`).join("\n")
    const found = values(`x: &x {type: image, tags: {allow: [a, b]}, digestTags: true}\nsync:\n${uses}\n`)
    assert.strictEqual((found as { sync: ReadonlyArray<unknown> }).sync.length, 2_000)
  })

  it("merges one large anchor 10,000 times", () => {
    const uses = Array.from({ length: 10_000 }, (_, n) => `  - {<<: *x, source: s${n}}`).join("\n")
    const tags = Array.from({ length: 80 }, (_, n) => `t${n}`).join(", ")
    const found = values(`x: &x {type: repository, tags: {allow: [${tags}]}}\nsync:\n${uses}\n`)
    assert.strictEqual((found as { sync: ReadonlyArray<unknown> }).sync.length, 10_000)
  })

  it("may be 64 levels deep", () => {
    const lists = `${"[".repeat(64)}${"]".repeat(64)}`
    assert.isFalse("problem" in parseYaml(`a: ${lists}`))
    const found = parseYaml(`a: [${lists}]`)
    if (!("problem" in found)) throw new Error("accepted")
    assert.deepStrictEqual([found.problem, found.isLimit], ["nested more than 64 levels deep", true])
  })

  const limits: Readonly<Record<string, readonly [text: string, problem: RegExp, line: number]>> = {
    "10,000 lists in one another": [`${"[".repeat(10_000)}${"]".repeat(10_000)}`, /nested more than 64 levels/, 1],
    "10,000 maps in one another": [`${"{a: ".repeat(10_000)}${"}".repeat(10_000)}`, /nested more than 64 levels/, 1],
    "2,000,000 lists begun on one line": ["- ".repeat(2_000_000), /nested more than 64 levels/, 1],
    "1,000 indented maps": [
      Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"),
      /nested more than 64 levels/,
      67
    ],
    "100,001 items": ["- x\n".repeat(100_001), /more than 100000 values/, 100_001],
    "1,000,000 keys": ["a: b\n".repeat(800_000), /more than 100000 values/, 100_001],
    "2,000,000 items on one line": [`[${"x,".repeat(2_000_000)}]`, /more than 100000 values/, 1],
    "60,000 values and an alias for them": [`a: &a [${"x,".repeat(60_000)}]\nb: *a`, /more than 100000 values/, 2],
    "4,000,000 lines": ["\n".repeat(4_000_000), /more marks than any file needs/, 1_500_001],
    "4,000,000 brackets closed": ["}".repeat(4_000_000), /more marks than any file needs/, 1],
    "an alias below what it names": ["a: &a {b: &b [*a]}\n", /inside of what it names/, 1]
  }
  for (const [what, [text, problem, line]] of Object.entries(limits)) {
    it(`is beyond a limit with ${what}`, () => {
      const found = parseYaml(text)
      if (!("problem" in found)) throw new Error("accepted")
      assert.match(found.problem, problem)
      assert.deepStrictEqual([found.isLimit, found.line], [true, line])
    })
  }

  const laughs = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
  for (const [to, from] of ["ba", "cb", "dc", "ed", "fe", "gf"]) {
    laughs.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(",")}]`)
  }
  const refused: ReadonlyArray<readonly [string, string, RegExp, string]> = [
    ["a tab for indentation", "a:\n\tb: 1\n", /found character '\\t' that cannot start any token/, "2:1"],
    ["an unknown alias", "a: *b\n", /cannot find anchor by alias name b/, "1:4"],
    ["an alias inside of itself", "a: &a [*a]\n", /inside of what it names/, "1:8"],
    ["aliases without end", `${laughs.join("\n")}\n`, /aliases stand for more than 100000 values/, "5:"],
    ["nesting", `${"[".repeat(100)}${"]".repeat(100)}`, /nested/, "1:"],
    ["much nesting", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, /nested/, "1:"],
    ["a tag", "a: !!js/function 'x'\n", /tag .*js\/function is not allowed/, "1:"],
    ["a merge of a text", "a:\n  <<: text\n", /only maps can be merged/, "2:3"],
    ["a map as a key", "{a: 1}: 2\n", /only texts can be keys/, "1:1"],
    ["5 MiB", `a: ${"x".repeat(5 * 1024 * 1024)}`, /more than/, "1:1"]
  ]
  for (const [what, text, problem, place] of refused) {
    it(`is refused for ${what}`, () => {
      const found = parseYaml(text)
      if (!("problem" in found)) throw new Error("accepted")
      assert.match(found.problem, problem)
      assert.isTrue(`${found.line}:${found.column}`.startsWith(place), `${found.line}:${found.column}`)
    })
  }
})
