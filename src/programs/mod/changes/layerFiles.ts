/** Options that change layers by their files, or the form they are stored in (library description, 17.3). */
import { Effect } from "effect"
import { changeHeader, type HeaderChange, type TarHeader } from "../../../lib/tar/header.ts"
import { cleanName, isWithin } from "../../../lib/tar/name.ts"
import { visible } from "../../../lib/visibleText.ts"
import { within } from "../../../schemas/StoreError.ts"
import { UsageError } from "../../../schemas/UsageError.ts"
import { type Bytes, fromPump, pumpOf } from "../../../services/Bytes.ts"
import { type Scratch, scratch, spool } from "../../../services/spool.ts"
import { changedTar, type EntryChange, type TarEntry } from "../../../services/tar.ts"
import type { Change, LayerAt, LayerChange } from "../draft.ts"
import { type Base, isBaseLayer, loadBase, newTime, resolveTime, type TimeOptions, type TimeRule } from "../time.ts"

type FileOf = Extract<LayerChange, { readonly _tag: "Files" }>["file"]

const keep: EntryChange = { _tag: "Keep" }
const everywhere = () => Effect.succeed(true)

const withHeader = (entry: TarEntry, change: HeaderChange): EntryChange => {
  const blocks = changeHeader(entry, change)
  return blocks === entry.blocks ? keep : { _tag: "Replace", blocks, size: entry.header.size }
}

/** `--layer-strip-file`: a file, or a directory with all below it, out of every layer. A slash in front is optional. */
export const layerStrip = (value: string): Effect.Effect<Change> => {
  const root = cleanName(value)
  const file: FileOf = ({ header: { linkname, name, type } }) => {
    if (isWithin(cleanName(name), root)) return Effect.succeed<EntryChange>({ _tag: "Drop" })
    if (type !== "1" || !isWithin(cleanName(linkname), root)) return Effect.succeed(keep)
    return Effect.as(
      Effect.logWarning(`${visible(name)} is a hard link to a file that is stripped: its layer cannot be unpacked`),
      keep
    )
  }
  return Effect.succeed(root === "" ? {} : { layer: { _tag: "Files", isMeant: everywhere, file } })
}

/** `--reproducible`: no names of users and groups, which differ where numbers do not. */
export const reproducible = (): Effect.Effect<Change> =>
  Effect.succeed({
    layer: {
      _tag: "Files",
      isMeant: everywhere,
      file: (entry) => Effect.sync(() => withHeader(entry, { uname: "", gname: "" }))
    }
  })

/** The time of each kind that the rule changes. */
const timesBy = ({ atime, ctime, mtime }: TarHeader, rule: TimeRule): HeaderChange => {
  const entries = Object.entries({ mtime, atime, ctime }).map(([key, time]) => [key, newTime(time, rule)] as const)
  return Object.fromEntries(entries.filter(([, time]) => time !== undefined))
}

/** Rule and base of time options, as soon as the option first acts. */
const timed = (options: TimeOptions, name: string, fileOf: (rule: TimeRule) => FileOf): Change => {
  let known: { readonly file: FileOf; readonly base: Base } | undefined
  return {
    begin: (top) =>
      Effect.gen(function*() {
        const rule = yield* resolveTime(top, options, name)
        known = { file: fileOf(rule), base: yield* loadBase(options) }
      }),
    layer: {
      _tag: "Files",
      isMeant: (at: LayerAt) => Effect.sync(() => known !== undefined && !isBaseLayer(known.base, at)),
      file: (entry) => known === undefined ? Effect.succeed(keep) : known.file(entry)
    }
  }
}

const timesOf = (rule: TimeRule): FileOf => (entry) => Effect.sync(() => withHeader(entry, timesBy(entry.header, rule)))

/** `--layer-time`: times of all files, but in layers of the base. */
export const layerTime = (options: TimeOptions): Effect.Effect<Change> =>
  Effect.sync(() => timed(options, "WithLayerTimestamp", timesOf))

/** `--file-tar-time`: times in a tar, not compressed, that is itself a file of a layer. */
export const fileTarTime = (options: TimeOptions): Effect.Effect<Change> =>
  Effect.sync(() => {
    const name = cleanName(options.filename ?? "")
    let files: Scratch | undefined
    const fileOf = (rule: TimeRule): FileOf => (entry) => {
      const { name: found, size, type } = entry.header
      return files === undefined || type !== "0" || size === 0 || cleanName(found) !== name
        ? Effect.succeed(keep)
        : Effect.mapError(rewritten(entry, timesOf(rule), files), within(`failed to change ${visible(found)}`))
    }
    return {
      ...timed(options, "WithFileTarTime", fileOf),
      prepare: () => Effect.map(scratch, (it) => void (files = it))
    }
  })

/** The tar goes through a file: its header stands before it and tells its size. */
const rewritten = Effect.fnUntraced(function*(entry: TarEntry, file: FileOf, files: Scratch) {
  const name = yield* files.newFile
  const { content, size } = yield* spool(name, changedTar(entry.body, file), "sha256")
  // What cannot be removed now goes with its directory.
  const body: Bytes = fromPump((sink) => Effect.ensuring(pumpOf(content)(sink), Effect.ignore(files.remove(name))))
  const change: EntryChange = { _tag: "Replace", blocks: changeHeader(entry, { size }), size, body }
  return change
})

/** `--layer-squash`: one layer in place of all. */
export const layerSquash: Change = { squash: true }

const forms: ReadonlySet<string> = new Set(["gzip", "none", "zstd"])
const readForms: ReadonlySet<string> = new Set(["bzip2", "xz"])
const isForm = (value: string): value is "gzip" | "none" | "zstd" => forms.has(value)

/** `--layer-compress`: the form of all layers. Forms that can be read but not written are refused when it acts. */
export const layerCompress = (value: string): Effect.Effect<Change, UsageError> => {
  if (isForm(value)) return Effect.succeed({ layer: { _tag: "Compress", to: value } })
  const refused = new UsageError({ message: `unsupported layer compression: ${value}` })
  return readForms.has(value)
    ? Effect.succeed({ prepare: () => Effect.fail(refused) })
    : Effect.fail(new UsageError({ message: `unknown layer compression ${value}` }))
}
