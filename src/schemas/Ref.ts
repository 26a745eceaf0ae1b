/** Where content lives (`Location`), which content is meant (`Reference`), and both as written (`Ref`). */
import { Data, Result, Schema } from "effect"
import { type Digest, isDigest } from "./Digest.ts"

/** The kinds of place a repository can be. Every kind opens to the same `Repository`. */
export type Location = Data.TaggedEnum<{
  Registry: { readonly registry: string; readonly repository: string }
  OciLayout: { readonly path: string }
  Archive: { readonly path: string }
}>
export const Location = Data.taggedEnum<Location>()

export const Tag = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)),
  Schema.brand("Tag")
)
export type Tag = typeof Tag.Type
export const isTag = Schema.is(Tag)

export type Reference = Data.TaggedEnum<{
  ByTag: { readonly tag: Tag }
  ByDigest: { readonly digest: Digest }
}>
export const Reference = Data.taggedEnum<Reference>()

/** With both tag and digest, reads go by digest. */
export interface Ref {
  /** As the user wrote it. */
  readonly text: string
  readonly location: Location
  readonly tag?: Tag
  readonly digest?: Digest
}

export class RefError extends Data.TaggedError("RefError")<{ readonly message: string }> {}

const hostPart = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
const port = "(?::[0-9]+)"
const registry = [
  `${hostPart}(?:(?:\\.${hostPart})+\\.?|\\.)${port}?`,
  `(?=[a-zA-Z0-9-]*[A-Z])[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]${port}?`,
  `\\[(?:[a-fA-F0-9]{1,4}(?::[a-fA-F0-9]{1,4}){7}|(?=[^\\]]*[a-fA-F0-9])(?:[a-fA-F0-9]{1,4}(?::[a-fA-F0-9]{1,4})*)?::(?:[a-fA-F0-9]{1,4}(?::[a-fA-F0-9]{1,4})*)?)\\]${port}?`,
  `localhost${port}?`,
  `${hostPart}${port}`
].join("|")
const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*"
const tag = "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"

const registryForm = new RegExp(
  `^(?:(${registry})/)?(${component}(?:/${component})*)(?::(${tag}))?(?:@(${digest}))?$`
)
const layoutForm = new RegExp(`^([a-zA-Z0-9/_\\-.~+ ]+)(?::(${tag}))?(?:@(${digest}))?$`)
const hostForm = new RegExp(`^(?:${registry})$`)
const repositoryForm = new RegExp(`^${component}(?:/${component})*$`)

/** Everything after this many characters could not be part of a reference; refused before a pattern sees it. */
const maxLength = 4_096

/** Reads `[registry/]repository[:tag][@digest]`, `ocidir://path[:tag][@digest]` or `ocifile://path[:tag][@digest]`. */
export const parseRef = (text: string): Result.Result<Ref, RefError> => {
  const scheme = /^([a-z]+):\/\//.exec(text)
  if (text.length > maxLength) return invalid(text.slice(0, 100))
  if (scheme === null) return parseRegistryRef(text)
  const rest = text.slice(scheme[0].length)
  switch (scheme[1]) {
    case "ocidir":
    case "ocifile":
      return parseLayoutRef(text, scheme[1], rest)
    default:
      return Result.fail(new RefError({ message: `invalid reference, unknown scheme "${scheme[1]}" in "${text}"` }))
  }
}

/** Whether requests can be sent there: ports end at 65535, and some names of the right form are no address. */
const isAddress = (name: string): boolean => URL.canParse(`https://${name}/`)

/** Docker Hub has three names; a bare name on it is one of `library`. */
const canonicalRegistry = (name: string | undefined): string =>
  name === undefined || name === "index.docker.io" || name === "registry-1.docker.io" ? "docker.io" : name

const parseRegistryRef = (text: string): Result.Result<Ref, RefError> => {
  const parts = registryForm.exec(text)
  if (parts === null) {
    const lower = text.toLowerCase()
    return lower !== text && registryForm.test(lower) ? invalid(text, ", repo must be lowercase") : invalid(text)
  }
  let [name, repository] = [parts[1], parts[2] ?? ""]
  if (name === undefined && repository === "localhost") return invalid(text)
  if (name === undefined && repository.startsWith("localhost/")) {
    ;[name, repository] = ["localhost", repository.slice("localhost/".length)]
  }
  if (name !== undefined && !isAddress(name)) return invalid(text)
  const registry = canonicalRegistry(name)
  if (registry === "docker.io" && !repository.includes("/")) repository = `library/${repository}`
  const location = Location.Registry({ registry, repository })
  return withReference(text, location, parts[3] ?? (parts[4] === undefined ? "latest" : undefined), parts[4])
}

const parseLayoutRef = (text: string, scheme: string, rest: string): Result.Result<Ref, RefError> => {
  const parts = layoutForm.exec(rest)
  if (parts === null) {
    return Result.fail(new RefError({ message: `invalid reference, invalid path for scheme "${scheme}": ${rest}` }))
  }
  const path = parts[1] ?? ""
  const location = scheme === "ocidir" ? Location.OciLayout({ path }) : Location.Archive({ path })
  return withReference(text, location, parts[2], parts[3])
}

const withReference = (
  text: string,
  location: Location,
  tag: string | undefined,
  digest: string | undefined
): Result.Result<Ref, RefError> => {
  if (digest !== undefined && !isDigest(digest)) return invalid(text)
  return Result.succeed({
    text,
    location,
    ...(tag === undefined ? {} : { tag: tag as Tag }), // matched by the pattern
    ...(digest === undefined ? {} : { digest })
  })
}

const invalid = (text: string, hint = ""): Result.Result<never, RefError> =>
  Result.fail(new RefError({ message: `invalid reference "${text}"${hint}` }))

/** Whether a text is the name of a repository: components of lower-case letters and digits between slashes. */
export const isRepository = (text: string): boolean => text.length <= maxLength && repositoryForm.test(text)

/** Reads a bare registry such as `localhost:5000`; the name as configured, with Docker Hub's names made one. */
export const parseHost = (text: string): Result.Result<string, RefError> =>
  text.length <= maxLength && hostForm.test(text) && isAddress(text)
    ? Result.succeed(canonicalRegistry(text))
    : Result.fail(new RefError({ message: `parsing failed "${text}"` }))

/** `registry/repository` or `ocidir://path`: the common name of a place. */
export const locationName = Location.$match({
  Registry: ({ registry, repository }) => `${registry}/${repository}`,
  OciLayout: ({ path }) => `ocidir://${path}`,
  Archive: ({ path }) => `ocifile://${path}`
})

/** `registry/repository[:tag][@digest]` or `ocidir://path[:tag][@digest]`. */
export const commonName = (ref: Pick<Ref, "location" | "tag" | "digest">): string =>
  locationName(ref.location) + (ref.tag === undefined ? "" : `:${ref.tag}`) +
  (ref.digest === undefined ? "" : `@${ref.digest}`)

/** What a read goes by: the digest when there is one, else the tag, else `latest`. */
export const referenceOf = (ref: Pick<Ref, "tag" | "digest">): Reference =>
  ref.digest === undefined
    ? Reference.ByTag({ tag: ref.tag ?? Tag.make("latest") })
    : Reference.ByDigest({ digest: ref.digest })

/** The tag a write goes by: none beside a digest, else the tag, else `latest` (library description, 1.2, 12.3). */
export const tagFor = ({ digest, tag }: Pick<Ref, "tag" | "digest">): Tag | undefined =>
  digest === undefined ? tag ?? Tag.make("latest") : undefined

/** The same content by its digest alone. */
export const atDigest = ({ location }: Pick<Ref, "location">, digest: Digest): Ref => ({
  text: commonName({ location, digest }),
  location,
  digest
})

export const isSameLocation = (a: Location, b: Location): boolean => locationName(a) === locationName(b)

/** Content of one place can be had at the other without sending it: one registry, or one file system. */
export const isSameStore = (a: Location, b: Location): boolean =>
  a._tag === "Registry" && b._tag === "Registry" ? a.registry === b.registry : a._tag === b._tag

/** How a reference is appended to a place in messages: `:tag` or `@digest`. */
export const referenceText = Reference.$match({ ByTag: ({ tag }) => `:${tag}`, ByDigest: ({ digest }) => `@${digest}` })
