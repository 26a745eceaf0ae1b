/**
 * A tar file with random access: names cleaned, links inside followed. Nothing is ever written to the file system by
 * a name that an archive gives (faults C21, C22).
 */
import { Effect } from "effect"
import { codeOf } from "../../lib/files.ts"
import { TarProblem } from "../../lib/tar/header.ts"
import { type ListedEntry, listTar } from "../../lib/tar/list.ts"
import { quoted } from "../../lib/visibleText.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import { type Bytes, collect, fromPump } from "../Bytes.ts"
import { filePump } from "../fileBytes.ts"
import { fsError } from "../fsError.ts"
import { tarInvalid } from "../tarReader.ts"

/** Where content lies: bytes of a file on disk. */
export interface Part {
  readonly path: string
  readonly offset: number
  readonly size: number
}

export interface TarFile {
  /** The content of that name, links followed. `undefined` when it is absent; TarInvalid when it can be none. */
  readonly find: (name: string) => Effect.Effect<Part | undefined, StoreError>
  /** A document, at most 8 MiB; one that stands there twice has to be the same both times. */
  readonly document: (name: string) => Effect.Effect<Uint8Array | undefined, StoreError>
}

/** Bytes of a document inside an archive (faults, limits). */
const maxDocument = 8 * 1024 * 1024
/** Links that lead to one another. */
const maxLinks = 16

/** Documents that say what the archive holds: two of them could say two things. */
const documents: ReadonlySet<string> = new Set(["oci-layout", "index.json", "manifest.json"])

/** The bytes of a part, or both ends included some of them. */
export const partBytes = ({ offset, path, size }: Part, from = 0, to = size - 1): Bytes =>
  fromPump(filePump(path, { from: offset + from, to: offset + Math.min(to, size - 1) }))

/** The one spelling of a name; `undefined` for one that could lead out of the archive. */
const cleaned = (name: string): string | undefined => {
  if (name.startsWith("/") || /[\0\\]|^[A-Za-z]:/.test(name)) return undefined
  const steps = name.split("/").filter((step) => step !== "" && step !== ".")
  return steps.includes("..") ? undefined : steps.join("/")
}

/** Where a symbolic link leads, from the directory it stands in. */
const targetOf = (name: string, link: string): string | undefined => {
  const steps = name.split("/").slice(0, -1)
  for (const step of link.split("/")) {
    if (step !== "..") steps.push(step)
    else if (steps.pop() === undefined) return undefined
  }
  return link.startsWith("/") ? undefined : cleaned(steps.join("/"))
}

/** The file stays where it is as long as the archive is used. `shown` names it in failures. */
export const openTarFile = Effect.fnUntraced(function*(path: string, shown: string) {
  const entries = new Map<string, ListedEntry>()
  const doubles = new Map<string, ReadonlyArray<ListedEntry>>()
  yield* Effect.tryPromise({
    try: (signal) =>
      listTar(path, (entry) => {
        const name = cleaned(entry.name)
        if (name === undefined || name === "") return
        const before = documents.has(name) ? entries.get(name) : undefined
        if (before !== undefined) doubles.set(name, [...(doubles.get(name) ?? []).slice(-15), before])
        entries.set(name, entry)
      }, signal),
    catch: (cause) =>
      cause instanceof TarProblem
        ? tarInvalid(cause.message)
        : fsError(shown, codeOf(cause) === "ENOENT" ? "open" : "read")(cause)
  })

  const follow = (name: string, links: number): Effect.Effect<Part | undefined, StoreError> => {
    const clean = cleaned(name)
    if (clean === undefined) return Effect.fail(tarInvalid(`the name ${quoted(name)} leads out of the archive`))
    const entry = entries.get(clean)
    if (entry === undefined) return Effect.succeed(undefined)
    if (entry.type === "0") return Effect.succeed({ path, offset: entry.offset, size: entry.size })
    if (entry.type !== "1" && entry.type !== "2") {
      return Effect.fail(tarInvalid(`${quoted(name)} is neither a file nor a link`))
    }
    if (links === maxLinks) return Effect.fail(tarInvalid(`the links of ${quoted(name)} lead in a circle`))
    const target = entry.type === "1" ? cleaned(entry.linkname) : targetOf(clean, entry.linkname)
    return target === undefined
      ? Effect.fail(tarInvalid(`the link ${quoted(name)} leads out of the archive to ${quoted(entry.linkname)}`))
      : follow(target, links + 1)
  }

  const read = (part: Part, name: string) =>
    part.size > maxDocument
      ? Effect.fail(tarInvalid(`${name} has ${part.size} bytes: size limit exceeded`))
      : collect(partBytes(part), maxDocument)

  const file: TarFile = {
    find: (name) => follow(name, 0),
    document: Effect.fnUntraced(function*(name) {
      const part = yield* follow(name, 0)
      if (part === undefined) return undefined
      const bytes = yield* read(part, name)
      for (const { offset, size, type } of doubles.get(name) ?? []) {
        const isSame = type === "0" && size === bytes.length &&
          Buffer.compare(yield* read({ path, offset, size }, name), bytes) === 0
        if (!isSame) return yield* tarInvalid(`${name} stands there twice with different content`)
      }
      return bytes
    })
  }
  return file
})
