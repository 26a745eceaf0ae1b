/** Which image of an archive is meant by who imports it (library description, 16.2). */
import { Effect, Result } from "effect"
import { quoted } from "../../lib/visibleText.ts"
import type { Descriptor } from "../../schemas/Descriptor.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { commonName, parseRef, type Tag } from "../../schemas/Ref.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { tagOf } from "../ociLayout/documents.ts"
import { type Contents, imagesOf } from "./contents.ts"

export interface Wanted {
  /** `--name`; empty for none. */
  readonly name: string
  /** Of the target. */
  readonly tag?: Tag
  readonly digest?: Digest
}

const refName = "org.opencontainers.image.ref.name"
const fullName = "io.containerd.image.name"

const fullNameOf = (name: string) => Result.getOrUndefined(Result.map(parseRef(name), commonName))

/** Whether a name of an image in an archive is the one meant: writers say `app:v1` or `docker.io/library/app:v1`. */
const isMeant = (name: string) => {
  const full = fullNameOf(name)
  return (it: string): boolean => it === name || (full !== undefined && fullNameOf(it) === full)
}

/** Names shown when none of them was meant. */
const shown = 20

const notThere = (where: string, name: string, there: ReadonlyArray<string>): StoreError => {
  const listed = [...new Set(there)].slice(0, shown).map(quoted).join(", ")
  const hint = there.length === 0 ? "" : ` (there are ${listed}${there.length > shown ? ", …" : ""})`
  return storeError("", "TarInvalid", `could not find requested ${where}, ${name}${hint}`)
}

/** The only image; else the one of the target's digest, of the name, of the target's tag. */
export const pick = Effect.fnUntraced(function*(contents: Contents, wanted: Wanted) {
  const { layout } = contents
  if (layout === undefined) return yield* pickSaved(contents, wanted.name)
  const images = imagesOf(layout.index)
  const [only] = images
  const { entries } = layout.index
  const names = entries.map(({ descriptor }) => descriptor.annotations?.[refName] ?? "")
  const full = entries.map(({ descriptor }) => descriptor.annotations?.[fullName] ?? "")
  if (only !== undefined && images.length === 1) {
    const { name } = wanted
    if (name !== "" && !names.includes(name) && !full.some(isMeant(name))) {
      yield* Effect.logWarning(`The archive has one image, and it is not named ${quoted(name)}`)
    }
    return only
  }
  const same = images.find(({ digest }) => digest === wanted.digest)
  if (same !== undefined) return same
  const name = wanted.name === "" ? wanted.tag ?? "latest" : wanted.name
  const at = [
    names.indexOf(name),
    full.findIndex(isMeant(name)),
    entries.findIndex((entry) => wanted.name === "" && tagOf(entry) === name)
  ].find((position) => position >= 0)
  const found = at === undefined ? undefined : entries[at]
  if (found !== undefined) return found.descriptor
  return yield* notThere("tag in index.json", name, images.map(({ annotations }) => annotations?.[refName] ?? ""))
})

/** The image of `manifest.json` with that name, or the first. */
export const pickSaved = Effect.fnUntraced(function*(
  { saved }: Contents,
  name: string
): Effect.fn.Return<Descriptor, StoreError> {
  const isNamed = isMeant(name)
  const image = name === "" ? saved[0] : saved.find((it) => (it.image.RepoTags ?? []).some(isNamed))
  if (image === undefined) {
    return yield* notThere("name in manifest.json", name, saved.flatMap((it) => it.image.RepoTags ?? []))
  }
  const { manifest } = yield* Effect.mapError(
    image.converted,
    within("failed to import layers from docker tar")
  )
  return manifest.descriptor
})
