/** Runs programs as a user would: as processes, with their output and exit status. */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string | Uint8Array
  readonly cwd?: string
}

export const root = join(import.meta.dirname, "../..")

/** Runs a program to its end. */
export const run = (file: string, args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"]
    })
    const [out, err]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (it: Buffer) => out.push(it))
    child.stderr.on("data", (it: Buffer) => err.push(it))
    child.on("error", reject)
    child.on(
      "close",
      (code) => resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() })
    )
    child.stdin.on("error", () => {})
    child.stdin.end(options.input ?? "")
  })

/** Runs a program that has to succeed. */
export const must = async (file: string, args: ReadonlyArray<string>, options: RunOptions = {}): Promise<string> => {
  const { code, err, out } = await run(file, args, options)
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}\n${out}${err}`)
  return out
}

/** The tools as built. */
export const tool = (name: "regctl" | "regsync" | "regbot"): string => join(root, "dist", `${name}.js`)

/** Where a program is, or a failure that names the package it comes with. */
export const installed = (program: string, debianPackage: string): string => {
  const found = (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, program)).find((it) =>
    existsSync(it)
  )
  if (found === undefined)
    throw new Error(`${program} is needed for this test: install the Debian package ${debianPackage}`)
  return found
}
