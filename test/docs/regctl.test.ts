/**
 * The examples of the user's guide, run in their order as a user would type them, against one embedded registry and in
 * one directory. In a block marked `console`, a line `$ …` is a command and the lines below it its output, standard
 * error included; `...` stands for any text within a line, and on a line of its own for any lines. Spaces at the end of
 * a line do not count. Every command has to succeed: a failure is shown with `|| echo …`. The guide's `localhost:5000`
 * is wherever the registry listens.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root, tool } from "../support/programs.ts"
import { ownRegistry, type Running, temporary } from "../support/registries.ts"

interface Example {
  readonly line: number
  readonly command: string
  readonly expected: ReadonlyArray<string>
}

const guide = readFileSync(join(root, "docs/regctl.md"), "utf8").split("\n")

/** The blocks with one of these marks. */
const blocks = (mark: string): ReadonlyArray<readonly [line: number, lines: ReadonlyArray<string>]> =>
  guide.flatMap((text, at) => text === `\`\`\`${mark}` ? [[at + 2, guide.slice(at + 1, guide.indexOf("```", at))]] : [])

const examples: ReadonlyArray<Example> = blocks("console").flatMap(([start, lines]) => {
  const found: Array<{ line: number; command: string; expected: Array<string> }> = []
  for (const [at, text] of lines.entries()) {
    if (text.startsWith("$ ")) found.push({ line: start + at, command: text.slice(2), expected: [] })
    else found.at(-1)?.expected.push(text)
  }
  return found
})

const quoted = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\.\\.\\.", ".*")

/** What output of these lines looks like. */
const pattern = (lines: ReadonlyArray<string>): RegExp =>
  new RegExp(`^${lines.map((it) => it === "..." ? "(?:.*\n)*?" : `${quoted(it.trimEnd())} *\n`).join("")}$`)

const dir = temporary("guide")
let registry: Running
let shell: (command: string) => Promise<{ readonly code: number; readonly out: string }>
let end: () => void = () => {}

/** One shell for all examples, so that variables and functions stay. */
const open = (env: Readonly<Record<string, string | undefined>>) => {
  const child = spawn("bash", ["--norc"], { cwd: dir.path, env: { ...process.env, ...env }, stdio: "pipe" })
  let text = ""
  let heard: () => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (it: Buffer) => {
      text += it.toString()
      heard()
    })
  }
  child.stdin.write("exec 2>&1\n")
  end = () => child.stdin.end()
  return (command: string) =>
    new Promise<{ readonly code: number; readonly out: string }>((resolve) => {
      text = ""
      heard = () => {
        const done = /(?:^|\n?)@done (\d+)\n$/.exec(text)
        if (done !== null) resolve({ code: Number(done[1]), out: text.slice(0, done.index) })
      }
      child.stdin.write(`{ ${command}\n} </dev/null; printf '\\n@done %s\\n' $?\n`)
    })
}

beforeAll(async () => {
  registry = await ownRegistry()
  mkdirSync(join(dir.path, "bin"))
  mkdirSync(join(dir.path, "work"))
  const program = process.env["REGCTL_TABLE"] ?? `${process.execPath}' '${tool("regctl")}`
  writeFileSync(join(dir.path, "bin/regctl"), `#!/bin/sh\nexec '${program}' "$@"\n`, { mode: 0o755 })
  shell = open({
    HOME: dir.path,
    PATH: `${join(dir.path, "bin")}:${process.env["PATH"]}`,
    REGCTL_CONFIG: join(dir.path, "config.json"),
    DOCKER_CONFIG: join(dir.path, "docker"),
    DOCKER_AUTH_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined
  })
  await shell(`cd ${join(dir.path, "work")}`)
})
afterAll(async () => {
  end()
  await registry.stop()
  dir.remove()
})

describe("the guide to regctl", () => {
  for (const { command, expected, line } of examples) {
    it(`line ${line}: ${command}`, async () => {
      const { code, out } = await shell(command.replaceAll("localhost:5000", registry.host))
      const shown = out.replaceAll(registry.host, "localhost:5000")
      assert.match(shown.endsWith("\n") || shown === "" ? shown : `${shown}\n`, pattern(expected))
      assert.strictEqual(code, 0, shown)
    })
  }

  it("names every command there is a page for", () => {
    const text = guide.join("\n")
    const groups = ["artifact", "blob", "config", "image", "index", "manifest", "registry", "repo", "tag"]
    assert.deepStrictEqual(groups.filter((it) => !text.includes(`regctl ${it} `)), [])
  })

  it("has few examples that are not run", () => assert.isAtMost(blocks("sh").length, 10))
})
