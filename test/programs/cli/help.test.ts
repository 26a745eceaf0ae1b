import { assert, describe, it } from "@effect/vitest"
import type { Node } from "../../../src/programs/cli/command.ts"
import { childrenOf, findCommand } from "../../../src/programs/cli/dialect.ts"
import { helpText, usageText } from "../../../src/programs/cli/help.ts"
import { regbot } from "../../../src/programs/regbot/main.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"
import { regsync } from "../../../src/programs/regsync/main.ts"

const help = (...words: ReadonlyArray<string>) => helpText(regctl, findCommand(regctl, words).path)

describe("help", () => {
  it("of a command shows usage, aliases, examples, flags by name with types and defaults", () => {
    assert.strictEqual(
      help("tag", "ls"),
      `List the tags of a repository.
Not every registry honours --last and --limit. For a layout directory the
index is at hand too (--format "{{.Index}}").

Usage:
  regctl tag ls <repository> [flags]

Aliases:
  ls, list

Examples:

# list all tags
regctl tag ls registry.example.org/app

# leave out tags named for digests
regctl tag ls registry.example.org/app --exclude 'sha256-.*'

Flags:
      --exclude stringArray   Leave out tags that match this regular expression as a whole
      --format string         Go template for the output, or one of "raw", "raw-body", "raw-headers" (default "{{printPretty .}}")
  -h, --help                  Show help for ls
      --include stringArray   List only tags that match this regular expression as a whole
      --last string           List tags after this one
      --limit int             List this many tags

Global Flags:
      --host stringArray     Settings of a registry for this run (reg=registry,user=name,pass=password,tls=enabled)
      --logopt stringArray   Log option; json for one object a line
      --user-agent string    User agent in place of the tool's own
  -v, --verbosity string     Log level (trace, debug, info, warn, error) (default "WARN")`
    )
  })

  it("of a group lists its commands and points to their help", () => {
    const text = help("layer")
    assert.include(
      text,
      "Usage:\n  regctl blob [command]\n\nAliases:\n  blob, layer\n\nAvailable Commands:\n  copy        "
    )
    assert.isTrue(text.endsWith("\n\nUse \"regctl blob [command] --help\" for more information about a command."))
  })

  it("of a tool lists its global flags once and leaves out what is hidden", () => {
    const text = help()
    assert.notInclude(text, "Global Flags:")
    assert.notInclude(text, "  digest ")
    assert.include(text, "\n  help        Show help for any command\n")
    assert.include(text, "\nFlags:\n  -h, --help                 Show help for regctl\n      --host stringArray     ")
  })

  it("leaves out hidden flags and shows the default of a toggle that is on", () => {
    assert.notInclude(help("image", "copy"), "--platforms")
    assert.match(help("image", "digest"), /--require-digest +.* \(default true\)/)
  })

  it("without its description is the usage", () =>
    assert.isTrue(usageText(regctl, findCommand(regctl, []).path).startsWith("Usage:\n  regctl [command]\n")))

  it("has a summary of one line for every command and every flag, and an example for every command", () => {
    for (const tool of [regctl, regsync, regbot]) {
      const all = (node: Node): ReadonlyArray<Node> =>
        node._tag === "Leaf" ? [node] : [node, ...childrenOf(tool, node).flatMap(all)]
      const nodes = all(tool.root)
      const isLine = (text: string) => /^\S[^\n]*\S$/.test(text)
      assert.deepStrictEqual(nodes.filter(({ summary }) => !isLine(summary)).map(({ name }) => name), [])
      const shapes = nodes.flatMap((node) => node._tag === "Leaf" ? node.shapes : tool.globals)
      assert.deepStrictEqual(shapes.filter(({ help }) => !isLine(help)).map(({ name }) => name), [])
      const without = nodes.filter(({ _tag, examples }) => _tag === "Leaf" && (examples ?? []).length === 0)
      assert.deepStrictEqual(without.map(({ name }) => name), [])
      assert.includeMembers(nodes.map(({ name }) => name), ["help", "completion", "version"])
    }
  })

  it("names the tool as its user calls it", () => {
    const text = helpText({ ...regctl, calledAs: "docker regctl" }, findCommand(regctl, ["tag", "delete"]).path)
    assert.include(text, "Usage:\n  docker regctl tag delete <image_ref> [flags]\n")
    assert.include(text, "# delete a tag\ndocker regctl tag delete registry.example.org/app:v1\n")
  })
})
