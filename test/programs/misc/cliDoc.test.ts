import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Sink, Stdio } from "effect"
import { TestConsole } from "effect/testing"
import { group, localCommand, RunningTool, type Tool } from "../../../src/programs/cli/command.ts"
import { text, toggle } from "../../../src/programs/cli/flags.ts"
import { run } from "../../../src/programs/misc/cliDoc.ts"
import { Formatter } from "../../../src/services/Formatter.ts"

const load = () => Promise.resolve({ run: () => Effect.void })

const tool: Tool = {
  root: group({
    name: "tool",
    summary: "a tool",
    children: [
      group({
        name: "tag",
        summary: "work with tags",
        children: [
          localCommand({ name: "ls", aliases: ["list"], summary: "list", args: "<repo>", options: {} }, load),
          localCommand({
            name: "delete",
            summary: "delete a tag",
            help: "Delete one tag.",
            args: "<ref>",
            examples: [["delete a tag", "{tool} tag delete a:v1"], ["another", "{tool} tag delete b"]],
            options: { force: toggle("force", "Do not ask"), kind: text("kind", "Kind", { otherwise: "x" }) }
          }, load)
        ]
      }),
      localCommand({ name: "secret", summary: "secret", args: "", isHidden: true, options: {} }, load)
    ]
  }),
  globals: [text("host", "Host", { short: "H" }).shape]
}

const names: ReadonlyArray<string> = []
const none = { format: "", hidden: false, list: false, args: names }

const shown = (input: Partial<typeof none>) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    const streams = Stdio.layerTest({
      stdout: () =>
        Sink.forEach((part: string | Uint8Array) =>
          Effect.sync(() => void out.push(typeof part === "string" ? part : new TextDecoder().decode(part)))
        )
    })
    yield* run({ ...none, ...input }).pipe(
      Effect.provide(Layer.fresh(Formatter.layer).pipe(Layer.provide(streams))),
      Effect.provideService(RunningTool, tool)
    )
    return [...(yield* TestConsole.logLines), ...out].join("\n")
  })

describe("cli-doc", () => {
  it.effect("lists every command by name, depth first, without those that are hidden", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* shown({ list: true }), "tool\ntool help\ntool tag\ntool tag delete\ntool tag ls")
    }))

  it.effect("lists hidden commands when asked to", () =>
    Effect.gen(function*() {
      assert.include(yield* shown({ list: true, hidden: true }), "tool help\ntool secret\ntool tag\n")
    }))

  it.effect("prints a command as Markdown", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* shown({ args: ["tag", "delete"] }),
        `## tool tag delete

delete a tag

### Synopsis

Delete one tag.

\`\`\`
tool tag delete <ref> [flags]
\`\`\`

### Examples

\`\`\`
# delete a tag
tool tag delete a:v1

# another
tool tag delete b
\`\`\`

### Options

\`\`\`
      --force         Do not ask
  -h, --help          Show help for delete
      --kind string   Kind (default "x")
\`\`\`

### Options inherited from parent commands

\`\`\`
  -H, --host string   Host
\`\`\`
`
      )
    }))

  it.effect("gives a template the command, its parent and its children", () =>
    Effect.gen(function*() {
      const format = "{{.CommandPath}}|{{.Parent.Name}}|{{range .Commands}}{{.Use}} {{.Aliases}} {{.Short}};{{end}}"
      assert.strictEqual(
        yield* shown({ args: ["tag"], format }),
        "tool tag|tool|delete <ref> [] delete a tag;ls <repo> [list] list;"
      )
    }))

  it.effect("refuses a name no command has", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(shown({ args: ["nope"] }))
      assert.strictEqual(message, `unknown command "nope" for "tool"`)
    }))
})
