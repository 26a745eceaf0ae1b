/** A reference as templates see it. */
import { stringArg, Struct } from "../../lib/gotemplate/value.ts"
import { Location, type Ref } from "../../schemas/Ref.ts"

interface Parts {
  readonly Scheme: string
  readonly Reference: string
  readonly Registry: string
  readonly Repository: string
  readonly Tag: string
  readonly Digest: string
  readonly Path: string
}

/** Where there is no reference; every field of its view is empty. */
export const noReference: Ref = { text: "", location: Location.Registry({ registry: "", repository: "" }) }

const partsOf = (ref: Ref): Parts => {
  const { digest, location, tag, text } = ref
  const isRegistry = location._tag === "Registry"
  return {
    Scheme: ref === noReference ? "" : isRegistry ? "reg" : location._tag === "OciLayout" ? "ocidir" : "ocifile",
    Reference: text,
    Registry: isRegistry ? location.registry : "",
    Repository: isRegistry ? location.repository : "",
    Tag: tag ?? "",
    Digest: digest ?? "",
    Path: isRegistry ? "" : location.path
  }
}

export const referenceView = (ref: Ref): Struct => view(partsOf(ref))

const name = ({ Digest, Path, Registry, Repository, Scheme, Tag }: Parts): string => {
  const place = Scheme === "reg"
    ? Registry === "" || Repository === "" ? "" : `${Registry}/${Repository}`
    : Path === ""
    ? ""
    : `${Scheme}://${Path}`
  return place === "" ? "" : place + (Tag === "" ? "" : `:${Tag}`) + (Digest === "" ? "" : `@${Digest}`)
}

const view = (parts: Parts): Struct => {
  const changed = (change: Partial<Parts>) => {
    const next = { ...parts, ...change }
    return view({ ...next, Reference: name(next) })
  }
  return new Struct("ref.Ref", { ...parts }, {
    methods: {
      CommonName: () => name(parts),
      IsSet: () => isSet(parts),
      IsSetRepo: () => name(parts) !== "",
      IsZero: () => Object.values(parts).every((it) => it === ""),
      SetTag: (tag: unknown) => changed({ Tag: stringArg(tag), Digest: "" }),
      SetDigest: (digest: unknown) => changed({ Tag: "", Digest: stringArg(digest) }),
      AddDigest: (digest: unknown) => changed({ Digest: stringArg(digest) }),
      ToReg: () => parts.Scheme === "reg" ? view(parts) : view(asRegistry(parts))
    }
  })
}

const isSet = (parts: Parts): boolean =>
  name(parts) !== "" && (parts.Scheme !== "reg" || parts.Tag !== "" || parts.Digest !== "")

/** A layout as `localhost/<path>` (library description, section 1.3). */
const asRegistry = (parts: Parts): Parts => ({
  ...parts,
  Scheme: "reg",
  Registry: "localhost",
  Repository: repositoryOf(parts.Path)
})

/** The repository of `localhost` that a path is called by. */
export const repositoryOf = (path: string): string => {
  const clean: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "..") clean.pop()
    else if (part !== "" && part !== ".") clean.push(part)
  }
  return clean.join("/").toLowerCase().replace(/[^/a-z0-9]+/g, "-")
}
