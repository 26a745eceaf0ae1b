/** Every command, alias and flag of the specification's page, as a process, against real registries and layouts. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Node } from "../../../src/programs/cli/command.ts"
import type { Shape } from "../../../src/programs/cli/flags.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"
import { additions, type Command, commands, type Flag, globals, groups } from "../../fixtures/regctlPage.ts"
import { awaited } from "./awaited.ts"
import type { Against, Backend, Case } from "./case.ts"
import { cases } from "./cases.ts"
import { makeWorld, other, type World } from "./world.ts"

let here: World
beforeAll(async () => {
  here = await makeWorld()
})
afterAll(() => here.stop())

const backends: Readonly<Record<Against, ReadonlyArray<Backend>>> = {
  serve: ["serve"],
  "docker-registry": ["docker-registry"],
  both: ["serve", "docker-registry"],
  ocidir: ["ocidir"],
  all: ["serve", "docker-registry", "ocidir"],
  login: ["login"],
  spy: ["spy"],
  local: ["local"]
}

/** What it shows, or what it needs beforehand, is still to come. */
const isAwaited = ({ before = [], command }: Case) =>
  other === undefined && awaited.some((it) => it === command || before.some((line) => line.startsWith(`${it} `)))
const words = (text = "") => text.split(" ").filter((word) => word !== "")

const holds = (actual: string, expected: string | RegExp, what: string) =>
  typeof expected === "string" ? assert.strictEqual(actual, expected, what) : assert.match(actual, expected, what)

/** Answers that differ are not compared. */
const isCompared = (row: Case) => other === undefined || row.differs === undefined

describe.concurrent("a command", () => {
  for (const row of cases) {
    for (const backend of backends[row.against ?? "all"]) {
      it.skipIf(isAwaited(row) || !isCompared(row))(
        `${row.args}${row.note === undefined ? "" : ` (${row.note})`} [${backend}]`,
        async () => {
          const after = await here.runCase(row, backend)
          const { err = "", out = "" } = row
          const ran = JSON.stringify(after.ran)
          holds(after.ran.out, out, ran)
          holds(after.ran.err, err, ran)
          assert.strictEqual(after.ran.code, row.code ?? (err === "" ? 0 : 1), ran)
          await row.check?.(after)
        }
      )
    }
  }
})

/** `--name` or the group of a short name somewhere in the arguments. */
const standsIn = (args: string, word: string) =>
  word.startsWith("--")
    ? new RegExp(`(^| )'?${word}[ ='"]|(^| )${word}$`).test(args)
    : new RegExp(`(^| )${word}`).test(args)

describe("the table", () => {
  const named = new Set(["", ...commands.map(({ path }) => path), ...groups.map(({ path }) => path)])

  it("names commands of the page only", () =>
    assert.deepStrictEqual(cases.map(({ command }) => command).filter((it) => !named.has(it)), []))

  it("shows what stands in the arguments", () => {
    const wrong = cases.flatMap(({ args, shows }) =>
      words(shows).filter((it) => !standsIn(args, it)).map((it) => `${it}: ${args}`)
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("has a case for every command, alias and flag of the page", () => {
    const shown = (path: string) => new Set(cases.filter((it) => it.command === path).flatMap((it) => words(it.shows)))
    const flagsOf = (flags: ReadonlyArray<Flag>) =>
      flags.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])
    const missing = [
      ...commands.flatMap(({ aliases, flags, path }) =>
        cases.some(({ command }) => command === path)
          ? [...aliases, ...flagsOf(flags)].filter((it) => !shown(path).has(it)).map((it) => `${path} ${it}`)
          : [path]
      ),
      ...groups.flatMap(({ aliases, path }) =>
        aliases.filter((it) => !shown(path).has(it)).map((it) => `${path} ${it}`)
      ),
      ...Object.keys(additions).flatMap((it) => {
        const [path = "", name] = it.split(" --")
        return name === undefined || shown(path).has(`--${name}`) ? [] : [it]
      }),
      ...[...flagsOf(globals), "--help", "-h"].filter((it) => !shown("").has(it))
    ]
    assert.deepStrictEqual(missing, [])
  })

  it("has no two cases of one name", () => {
    const names = cases.map(({ against, args, note }) => `${args} ${note} ${against}`)
    assert.deepStrictEqual(names.filter((it, at) => names.indexOf(it) !== at), [])
  })
})

/** What help shows of a flag, as the page gives it. */
const flagsIn = (help: string, heading: string): ReadonlyArray<string> =>
  (new RegExp(`\n${heading}:\n([^]*?)(\n\n|$)`).exec(help)?.[1] ?? "").split("\n").flatMap((line) => {
    const [, short, name = "", type = "bool", shown] =
      /^ {2}(?:-(\w), | {4})--([\w-]+)(?: (string|stringArray|int|uint|float))? {3,}.*?(?: \(default (.*)\))?$/.exec(
        line
      ) ??
        []
    return name === "" || name === "help" ? [] : [flagLine({ name, short, type, shown })]
  }).toSorted()

interface Line {
  readonly name: string
  readonly type: string
  readonly short?: string | undefined
  readonly shown?: string | undefined
}
const flagLine = ({ name, short, shown, type }: Line) =>
  `${short === undefined ? "" : `-${short}, `}--${name} ${type}${shown === undefined ? "" : ` = ${shown}`}`
const visible = (flags: ReadonlyArray<Flag>) => flags.filter((it) => it.isHidden !== true).map(flagLine).toSorted()

const present = commands.filter(({ path }) => !awaited.includes(path))
const countError = (args: string): string | undefined => {
  const [least, most] = [(args.match(/</g) ?? []).length, (args.match(/[<[]/g) ?? []).length]
  const count = least === most ? `accepts ${most}` : `accepts between ${least} and ${most}`
  return args === "any" ? undefined : `${count} arg(s), received ${most + 1}\n`
}

describe.concurrent("help and usage", () => {
  it("of the tool shows the global flags", async () =>
    assert.deepStrictEqual(flagsIn((await here.runTool(["--help"])).out, "Flags"), visible(globals)))

  for (const { aliases, args, flags, path } of present) {
    it(`of ${path} are those of the page`, async () => {
      const { out } = await here.runTool([...path.split(" "), "--help"])
      const usage = args === "any" ? "" : `${args}${args === "" ? "" : " "}[flags]\n`
      assert.include(out, `\nUsage:\n  regctl ${path} ${usage}`)
      const isNew = (line: string) => `${path} ${/--[\w-]+/.exec(line)?.[0]}` in additions
      assert.deepStrictEqual(flagsIn(out, "Flags").filter((it) => !isNew(it)), visible(flags))
      assert.deepStrictEqual(flagsIn(out, "Global Flags"), visible(globals))
      const [, listed = ""] = /\nAliases:\n {2}(.*)\n/.exec(out) ?? []
      assert.deepStrictEqual(listed.split(", ").slice(1), aliases)
    })
  }

  // The usage line says how many; one command for each number stands for all.
  const counted = new Map(commands.map((it) => [countError(it.args) ?? "", it.path]))
  counted.delete("")
  for (const [expected, path] of counted) {
    it(`of ${path}: ${expected.trimEnd()}`, async () => {
      const count = Number(/received (\d)/.exec(expected)?.[1])
      const { code, err } = await here.runTool([...path.split(" "), ...Array.from({ length: count }, () => "a")])
      assert.deepStrictEqual({ code, err }, { code: 1, err: expected })
    })
  }
})

/** Commands with their flags, hidden ones too. */
const leaves = (node: Node, path: string): ReadonlyArray<readonly [string, ReadonlyArray<Shape>, boolean]> => {
  const at = path === "" ? node.name : `${path} ${node.name}`
  return node._tag === "Leaf"
    ? [[at, node.shapes, node.isHidden === true]]
    : node.children.flatMap((it) => leaves(it, node.name === "regctl" ? "" : at))
}

describe("the tool", () => {
  const tool = new Map(leaves(regctl.root, "").map(([path, shapes, isHidden]) => [path, { shapes, isHidden }]))
  const page = new Map(commands.map((it): readonly [string, Command] => [it.path, it]))

  it("has no command that the page has not, but for named additions", () => {
    assert.deepStrictEqual([...tool.keys()].filter((it) => !page.has(it) && !(it in additions)), [])
    assert.deepStrictEqual(Object.keys(additions).filter((it) => !tool.has(it.split(" --")[0] ?? "")), [])
  })

  it("has no flag that the page has not, but for named additions, and hides what the page hides", () => {
    const line = (path: string, { isHidden = false, name, short = "", type }: Line & { readonly isHidden?: boolean }) =>
      `${path} --${name} ${short} ${type} ${isHidden}`
    for (const { flags, isHidden = false, path } of present.filter((it) => it.path !== "help")) {
      const found = tool.get(path)
      const mine = (found?.shapes ?? []).filter(({ name }) => !(`${path} --${name}` in additions))
      assert.deepStrictEqual(
        mine.map((it) => line(path, it)).toSorted(),
        flags.map((it) => line(path, it)).toSorted()
      )
      assert.strictEqual(found?.isHidden ?? isHidden, isHidden, path)
    }
  })

  it.skipIf(awaited.length > 0)("has every command of the page", () => assert.isEmpty(awaited))
})
