/** Tar archives made by GNU tar, the same in each run. */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Names to contents; a name that ends in `/` is a directory, an object a symlink. */
export type Tree = Readonly<Record<string, string | Uint8Array | { readonly link: string }>>

/** Files below a directory that is made for them. */
export const plant = (dir: string, tree: Tree): string => {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const [name, content] of Object.entries(tree)) {
    const path = join(dir, name)
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true })
    if (name.endsWith("/")) continue
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(path, content, { mode: 0o644 })
    else symlinkSync(content.link, path)
  }
  return dir
}

/** All of a directory: in order, owned by root, changed at 2020-09-13T12:26:40Z. */
export const tarOf = (dir: string, options: ReadonlyArray<string> = ["--format=ustar"]): Buffer =>
  execFileSync(
    "tar",
    [
      "-C",
      dir,
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mtime=@1600000000",
      ...options,
      "-c",
      "."
    ],
    { maxBuffer: 1024 ** 3, stdio: ["ignore", "pipe", "ignore"] }
  )
