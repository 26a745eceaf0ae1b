/** Which operation a request asks for, read from its path before anything is touched (distribution-spec, endpoints). */
import { Data, Result } from "effect"
import { type Digest, digestProblem, isDigest } from "../../schemas/Digest.ts"
import { isTag, Reference } from "../../schemas/Ref.ts"
import { isRepositoryName } from "../../services/ServeStore.ts"
import { type Refusal, refusal } from "./failures.ts"

export type Route = Data.TaggedEnum<{
  Base: {}
  Catalog: {}
  Tags: { readonly name: string }
  Manifest: { readonly name: string; readonly reference: Reference }
  Blob: { readonly name: string; readonly digest: Digest }
  UploadStart: { readonly name: string }
  Upload: { readonly name: string; readonly id: string }
  Referrers: { readonly name: string; readonly digest: Digest }
}>
export const Route = Data.taggedEnum<Route>()

export interface Target {
  readonly route: Route
  readonly query: URLSearchParams
}

/** Reads the target of a request. Names contain slashes, so the last `/manifests/`, `/blobs/` and so on decides. */
export const parseTarget = (url: string): Result.Result<Target, Refusal> => {
  const question = url.indexOf("?")
  const path = question < 0 ? url : url.slice(0, question)
  const query = new URLSearchParams(question < 0 ? "" : url.slice(question + 1))
  return Result.map(parsePath(path), (route) => ({ route, query }))
}

const parsePath = (path: string): Result.Result<Route, Refusal> => {
  if (path === "/v2" || path === "/v2/") return Result.succeed(Route.Base())
  if (path === "/v2/_catalog") return Result.succeed(Route.Catalog())
  const found = shapes.exec(path)?.groups
  if (found === undefined) return Result.fail(refusal(404, "UNSUPPORTED", "no such endpoint"))
  const name = found["name"] ?? ""
  if (!isRepositoryName(name)) return Result.fail(refusal(400, "NAME_INVALID", "invalid repository name"))
  if (found["list"] !== undefined) return Result.succeed(Route.Tags({ name }))
  if (found["start"] !== undefined) return Result.succeed(Route.UploadStart({ name }))
  if (found["upload"] !== undefined) return Result.succeed(Route.Upload({ name, id: found["upload"] }))
  const last = decoded(found["last"] ?? "")
  switch (found["kind"]) {
    case "manifests":
      return Result.map(parseReference(last), (reference) => Route.Manifest({ name, reference }))
    case "blobs":
      return Result.map(parseDigest(last), (digest) => Route.Blob({ name, digest }))
    default:
      return Result.map(parseDigest(last), (digest) => Route.Referrers({ name, digest }))
  }
}

const shapes =
  /^\/v2\/(?<name>.+)\/(?:(?<list>tags\/list)|(?<start>blobs\/uploads\/?)|blobs\/uploads\/(?<upload>[0-9a-zA-Z_-]{1,128})|(?<kind>manifests|blobs|referrers)\/(?<last>[^/]+))$/

/** Some clients write the colon of a digest as `%3A`. */
const decoded = (text: string): string => text.replace(/%3a/gi, ":")

/** A digest, or the refusal that says why it is none. */
export const parseDigest = (text: string): Result.Result<Digest, Refusal> =>
  isDigest(text)
    ? Result.succeed(text)
    : Result.fail(refusal(400, "DIGEST_INVALID", digestProblem(text) ?? "invalid checksum digest format"))

const parseReference = (text: string): Result.Result<Reference, Refusal> => {
  if (text.includes(":")) return Result.map(parseDigest(text), (digest) => Reference.ByDigest({ digest }))
  return isTag(text)
    ? Result.succeed(Reference.ByTag({ tag: text }))
    : Result.fail(refusal(400, "TAG_INVALID", "invalid tag"))
}
