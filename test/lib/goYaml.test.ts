import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { goYaml, type Printable } from "../../src/lib/goYaml.ts"
import { parseYaml, type YamlNode } from "../../src/lib/yaml.ts"

const printed = (text: string) => goYaml(new Map([["a", text]])).slice(3, -1)

describe("a text", () => {
  // As the Go tool prints them.
  const bare = [
    "a:b",
    "-a",
    "--",
    ":a",
    "?a",
    ".nan",
    ".inf",
    "1e3",
    "-1e3",
    "08",
    "v1.2",
    "1.2.3",
    "12:30:45",
    "2020-1-1",
    "2020-01-01T00:00:00",
    "a'b",
    "a\"b",
    "a,b",
    "x{{ env }}",
    "tRue",
    "é",
    "https://x/y",
    "a -b",
    "<<"
  ]
  const quoted = [
    "",
    "~",
    "null",
    "True",
    "y",
    "NO",
    "1",
    "-1",
    "1_000",
    "0x1F",
    "3.9",
    ".5",
    "5.",
    "1.5e-3",
    "00",
    "1:2",
    "10:20",
    "2020-01-01",
    "2020-01-01 00:00:00",
    "2020-01-01T00:00:00Z",
    "*a",
    "&a",
    "[a]",
    "{{ .x }}",
    "!a",
    "#a",
    "a#b",
    "a: b",
    "a- b",
    "a:",
    "a ",
    " a",
    "@a",
    "`a",
    "%a",
    "'a'",
    "-"
  ]
  it("stands bare where it reads as one", () => {
    for (const text of bare) assert.strictEqual(printed(text), text)
  })

  it("is quoted where it could be read as something else", () => {
    for (const text of quoted) assert.strictEqual(printed(text), `"${text}"`)
    assert.strictEqual(printed("\\d+"), "\"\\\\d+\"")
    assert.strictEqual(printed("\"a\""), "\"\\\"a\\\"\"")
  })

  it("is quoted where the Go tool would lose it", () => {
    assert.deepStrictEqual(["?", "? a", "---", "a\u0001b", "a\rb", "\n", "a\t"].map(printed), [
      "\"?\"",
      "\"? a\"",
      "\"---\"",
      "\"a\\x01b\"",
      "\"a\\rb\"",
      "\"\\n\"",
      "\"a\\t\""
    ])
  })

  it("of several lines is a block that keeps its end", () => {
    assert.strictEqual(printed("a\nb"), "|-\n  a\n  b")
    assert.strictEqual(printed("a\nb\n"), "|\n  a\n  b")
    assert.strictEqual(printed("a\n\n\n"), "|+\n  a\n  \n")
    assert.strictEqual(printed("\na"), "|-\n  \n  a")
    assert.strictEqual(printed(" a\nb"), "\" a\\nb\"")
  })
})

const Texts = Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Array(Schema.String) }))

const plain = (node: YamlNode | undefined): unknown =>
  node?.kind === "map"
    ? [...node.entries].map(([key, { value }]) => [key, plain(value)])
    : node?.kind === "list"
    ? node.items.map(plain)
    : node?.kind === "scalar"
    ? (typeof node.value === "string" ? node.value : node.text)
    : node

describe("a document", () => {
  it.prop("is read as what was printed, whatever its texts", [Texts], ([items]) => {
    const map = new Map(
      items.map(({ key, value }) => [key.toWellFormed(), value.map((it) => it.toWellFormed())] as const)
    )
    const found = parseYaml(goYaml(new Map([["top", map]])))
    assert.deepStrictEqual("node" in found ? plain(found.node) : found, [["top", map.size === 0 ? [] : [...map]]])
  })

  it("of odd texts is read as what was printed", () => {
    const marks = [
      "-",
      "?",
      ":",
      "#",
      "\t",
      "\n",
      " ",
      "|",
      ">",
      "\\",
      "\"",
      "'",
      "<<",
      "...",
      "---",
      "0",
      "a",
      "\u00a0",
      "\r"
    ]
    const texts = marks.flatMap((a) => marks.flatMap((b) => marks.map((c) => a + b + c)))
    const map = new Map<string, Printable>([["top", texts], ["keys", new Map(texts.map((it) => [it, "x"]))]])
    const found = parseYaml(goYaml(map))
    assert.deepStrictEqual("node" in found ? plain(found.node) : found, [
      ["top", texts],
      ["keys", [...new Set(texts)].map((it) => [it, "x"])]
    ])
  })
})
