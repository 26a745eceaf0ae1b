/**
 * The examples of a guide, run in their order as a user would type them, in one shell and one directory. In a block
 * marked `console`, a line `$ …` is a command and the lines below it its output, standard error included; `...` stands
 * for any text within a line, and on a line of its own for any lines. Spaces at the end of a line do not count. Every
 * command has to succeed: a failure is shown with `|| echo …`. Addresses of the guide are wherever something listens.
 */
import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./programs.ts"

export interface Block {
  /** Of its first line, from 1. */
  readonly line: number
  readonly lines: ReadonlyArray<string>
}

export interface Guide {
  readonly text: string
  /** The blocks with a mark such as `console`. */
  readonly blocks: (mark: string) => ReadonlyArray<Block>
}

export const readGuide = (path: string): Guide => {
  const text = readFileSync(join(root, path), "utf8")
  const lines = text.split("\n")
  return {
    text,
    blocks: (mark) =>
      lines.flatMap((it, at) =>
        it === `\`\`\`${mark}` ? [{ line: at + 2, lines: lines.slice(at + 1, lines.indexOf("```", at)) }] : []
      )
  }
}

export interface Shell {
  readonly run: (command: string) => Promise<{ readonly code: number; readonly out: string }>
  readonly end: () => void
}

/** One shell for all examples, so that variables and functions stay. */
export const openShell = (cwd: string, env: Readonly<Record<string, string | undefined>>): Shell => {
  const child = spawn("bash", ["--norc"], { cwd, env: { ...process.env, ...env }, stdio: "pipe" })
  let text = ""
  let heard: () => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (it: Buffer) => {
      text += it.toString()
      heard()
    })
  }
  child.stdin.write("exec 2>&1\n")
  return {
    run: (command) =>
      new Promise((resolve) => {
        text = ""
        heard = () => {
          const done = /(?:^|\n?)@done (\d+)\n$/.exec(text)
          if (done !== null) resolve({ code: Number(done[1]), out: text.slice(0, done.index) })
        }
        child.stdin.write(`{ ${command}\n} </dev/null; printf '\\n@done %s\\n' $?\n`)
      }),
    end: () => void child.stdin.end()
  }
}

/** A program of ours as a command of that name in a directory. */
export const installCommand = (dir: string, name: string, program: string): void =>
  writeFileSync(join(dir, name), `#!/bin/sh\nexec '${program}' "$@"\n`, { mode: 0o755 })

const quoted = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\.\\.\\.", ".*")

/** What output of these lines looks like. */
const pattern = (lines: ReadonlyArray<string>): RegExp =>
  new RegExp(`^${lines.map((it) => it === "..." ? "(?:.*\n)*?" : `${quoted(it.trimEnd())} *\n`).join("")}$`)

interface Example {
  readonly line: number
  readonly command: string
  readonly expected: ReadonlyArray<string>
}

const examplesOf = (guide: Guide): ReadonlyArray<Example> =>
  guide.blocks("console").flatMap(({ line: start, lines }) => {
    const found: Array<{ line: number; command: string; expected: Array<string> }> = []
    for (const [at, text] of lines.entries()) {
      if (text.startsWith("$ ")) found.push({ line: start + at, command: text.slice(2), expected: [] })
      else found.at(-1)?.expected.push(text)
    }
    return found
  })

/** Where the guide's addresses are in a run of the test. */
export type Places = ReadonlyArray<readonly [inGuide: string, real: string]>

export const located = (text: string, places: Places): string =>
  places.reduce((it, [inGuide, real]) => it.replaceAll(inGuide, real), text)

/** A test for each example. */
export const runExamples = (guide: Guide, shell: () => Shell, places: () => Places): void => {
  for (const { command, expected, line } of examplesOf(guide)) {
    it(`line ${line}: ${command}`, async () => {
      const { code, out } = await shell().run(located(command, places()))
      const shown = located(out, places().map(([inGuide, real]) => [real, inGuide]))
      assert.match(shown.endsWith("\n") || shown === "" ? shown : `${shown}\n`, pattern(expected))
      assert.strictEqual(code, 0, shown)
    })
  }
}
