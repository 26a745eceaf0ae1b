import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestConsole } from "effect/testing"
import { answer } from "../../../src/programs/cli/answer.ts"
import { command, group, type Tool } from "../../../src/programs/cli/command.ts"
import { complete } from "../../../src/programs/cli/complete.ts"
import { type CompletionRules, text, texts, toggle } from "../../../src/programs/cli/flags.ts"
import { regbot } from "../../../src/programs/regbot/main.ts"
import { completes } from "../../../src/programs/regctl/completes.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"
import { regsync } from "../../../src/programs/regsync/main.ts"

/** Words between bars: values and directive, or what has to be looked up. */
const completed = (tool: Tool, rules: CompletionRules, line: string): string => {
  const found = complete(tool, rules, line.split(" ").map((word) => word === "''" ? "" : word))
  return found._tag === "Question"
    ? `${found.source} ${found.typed}?`
    : [...found.candidates.map(({ value }) => value), `:${found.directive}`].join(" ")
}

const table = (tool: Tool, rows: ReadonlyArray<readonly [line: string, expected: string]>, rules = completes) => {
  for (const [line, expected] of rows) {
    it(`${line} gives ${expected}`, () => assert.strictEqual(completed(tool, rules, line), expected))
  }
}

const globals = "--host --logopt --user-agent --verbosity -v"

describe("commands", () => {
  table(regctl, [
    ["t", "tag :4"],
    ["tag ''", "delete ls :4"],
    ["-v debug tag l", "ls :4"],
    ["tag li", ":4"],
    ["re", "registry repo :4"],
    ["ref", ":4"],
    ["help tag ''", "delete ls :4"],
    ["help tag ls ''", ":4"],
    ["cli-doc tag d", "delete :4"],
    ["completion ''", "bash fish powershell zsh :4"]
  ])
  table(regsync, [
    ["c", "check completion config :4"],
    ["-", "--help -h --logopt --verbosity -v :4"],
    ["once --", "--logopt --verbosity --abort-on-error --config --help --missing --output --report --strict :4"],
    ["config -c", "-c :4"],
    ["once -c ''", ":0"]
  ])
  table(regbot, [["version --", "--logopt --verbosity --format --help :4"]])
})

describe("words that make no command line", () => {
  table(regctl, [["nonsense ''", ":0"], ["image foo ''", ":0"], ["tag ls --unknown ''", ":0"], [
    "tag ls --limit x ''",
    ":0"
  ]])
})

describe("flags", () => {
  table(regctl, [
    ["-", "--help -h --host --logopt --user-agent --verbosity -v :4"],
    ["-v", "-v :4"],
    ["--host a --ho", "--host :4"],
    ["tag delete -", `${globals} --help -h --ignore-missing :4`],
    ["tag delete --ignore-missing a --i", ":4"],
    ["image copy a -plocal --p", ":4"],
    ["tag ls --exclude a --e", "--exclude :4"],
    ["image copy --platforms", ":4"],
    ["tag ls --help ''", ":4"],
    ["tag ls -- -", "repository -?"]
  ])
})

describe("values of flags", () => {
  table(regctl, [
    ["image copy --platform linux/arm", "linux/arm/v5 linux/arm/v6 linux/arm/v7 linux/arm64 :4"],
    ["image copy -p win", "windows windows/amd64 :4"],
    ["image copy --platform=linux/s", "linux/s390x :4"],
    ["image copy --fast -p loc", "local :4"],
    ["image copy --format --platform l", "reference l?"],
    ["image copy --unknown=l", ":4"],
    ["image copy --format ''", ":4"],
    ["registry set --tls ''", "enabled insecure disabled :4"],
    ["--verbosity ''", "trace debug info warn error :4"],
    ["-v w", "warn :4"],
    ["--logopt ''", "json :4"],
    ["manifest put -t application/vnd.oci.image.m", "application/vnd.oci.image.manifest.v1+json :4"],
    ["digest --algorithm ''", "sha256 sha384 sha512 :4"],
    ["serve --dir ''", ":0"],
    ["serve --htpasswd=a", ":0"],
    ["image copy --referrers-src=localhost:5000/a", "repository localhost:5000/a?"]
  ])
})

describe("positionals", () => {
  table(regctl, [
    ["image copy ''", "reference ?"],
    ["image copy a b:c", "reference b:c?"],
    ["image copy a b ''", ":4"],
    ["tag ls localhost:5000/", "repository localhost:5000/?"],
    ["registry login l", "registry l?"],
    ["blob get a ''", ":4"],
    ["version ''", ":4"]
  ])
})

describe("a declaration", () => {
  const run = () => Promise.resolve({ run: () => Effect.void })
  const tool: Tool = {
    root: group({
      name: "tool",
      summary: "",
      children: [
        command({
          name: "get",
          summary: "get\nmore",
          args: "<name> [kind] [file]...",
          completes: ["nothing", ["red", "green"]],
          options: {
            all: toggle("all", "", { short: "a" }),
            color: text("color", "", { short: "c", completes: ["red"] }),
            size: text("size", ""),
            type: texts("type", "")
          }
        }, run),
        command({ name: "put", summary: "put", args: "<name>", options: { type: text("type", "") } }, run)
      ]
    }),
    globals: []
  }
  const rules: CompletionRules = {
    name: "registry",
    file: "file",
    "--color": ["blue"],
    "--type": ["a"],
    "put --type": ["b"],
    "put name": ["c"]
  }
  describe("of a command or flag comes before the tool's, and the tool's for one command before that for all", () =>
    table(tool, [
      ["get ''", ":4"],
      ["get a r", "red :4"],
      ["get a b ''", ":0"],
      ["get a b c d e ''", ":0"],
      ["put ''", "c :4"],
      ["get --color ''", "red :4"],
      ["get -ac ''", "red :4"],
      ["get -xc ''", ":0"],
      ["get -c ''", "red :4"],
      ["get --size ''", ":4"],
      ["get --type ''", "a :4"],
      ["put --type ''", "b :4"]
    ], rules))

  const printed = (words: ReadonlyArray<string>, isDescribed: boolean) =>
    Effect.gen(function*() {
      yield* answer(tool, words, isDescribed, () => Effect.die("nothing to look up"))
      return [...(yield* TestConsole.logLines), ...(yield* TestConsole.errorLines)].join("\n")
    })

  it.effect("is printed with the first line of its description, a directive, and a note", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* printed(["g"], true),
        "get\tget\n:4\nCompletion ended with directive: ShellCompDirectiveNoFileComp"
      )
    }))

  it.effect("is printed without description where none is wanted", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* printed(["g"], false),
        "get\n:4\nCompletion ended with directive: ShellCompDirectiveNoFileComp"
      )
      const { message } = yield* Effect.flip(printed([], true))
      assert.strictEqual(message, "requires at least 1 arg(s), only received 0")
    }))
})
