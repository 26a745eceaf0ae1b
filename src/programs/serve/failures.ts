/** What the embedded registry answers when it does not do what was asked: status and OCI error body (distribution-spec, error codes). */
import { Data } from "effect"
import { HttpServerResponse } from "effect/http"
import { cut, visible } from "../../lib/visibleText.ts"
import type { ReasonTag, StoreError } from "../../schemas/StoreError.ts"

export type Code =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "PRECONDITION_FAILED"
  | "RANGE_INVALID"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNAVAILABLE"
  | "UNKNOWN"
  | "UNSUPPORTED"

export interface Problem {
  readonly code: Code
  readonly message: string
  readonly detail?: unknown
}

export class Refusal extends Data.TaggedError("Refusal")<{
  readonly status: number
  readonly problems: ReadonlyArray<Problem>
  readonly headers?: Readonly<Record<string, string>>
  /** What failed inside: for the log, not for the client. */
  readonly cause?: StoreError
}> {}

/** Characters of a message that may quote what a client sent (faults, text from outside). */
const longest = 2_000

/** A refusal with one problem. */
export const refusal = (
  status: number,
  code: Code,
  message: string,
  more: { readonly detail?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}
): Refusal =>
  new Refusal({
    status,
    problems: [{
      code,
      message: cut(visible(message), longest),
      ...(more.detail === undefined ? {} : { detail: more.detail })
    }],
    ...(more.headers === undefined ? {} : { headers: more.headers })
  })

/** Status and code of each reason of the store; those of the network cannot come from a layout. */
const table: { readonly [Tag in ReasonTag]?: readonly [status: number, code: Code] } = {
  NotFound: [404, "UNKNOWN"],
  RateLimited: [429, "TOOMANYREQUESTS"],
  Unsupported: [405, "UNSUPPORTED"],
  UploadLost: [404, "BLOB_UPLOAD_UNKNOWN"],
  UploadRejected: [400, "BLOB_UPLOAD_INVALID"],
  DigestMismatch: [400, "DIGEST_INVALID"],
  DigestInvalid: [400, "DIGEST_INVALID"],
  SizeMismatch: [400, "SIZE_INVALID"],
  SizeLimit: [413, "SIZE_INVALID"],
  DepthLimit: [400, "MANIFEST_INVALID"],
  ManifestInvalid: [400, "MANIFEST_INVALID"],
  MediaTypeMismatch: [400, "MANIFEST_INVALID"],
  UnsupportedMediaType: [400, "MANIFEST_INVALID"],
  LoopDetected: [400, "MANIFEST_INVALID"],
  ReferenceInvalid: [400, "NAME_INVALID"],
  PathEscape: [400, "NAME_INVALID"],
  Timeout: [408, "BLOB_UPLOAD_INVALID"],
  ConnectionLost: [400, "BLOB_UPLOAD_INVALID"],
  LayoutLocked: [503, "UNAVAILABLE"],
  FsNoSpace: [503, "UNAVAILABLE"]
}

const phrases: { readonly [Name in Code]?: string } = {
  BLOB_UNKNOWN: "blob unknown to registry",
  BLOB_UPLOAD_UNKNOWN: "upload is not known here",
  MANIFEST_UNKNOWN: "manifest unknown to registry",
  NAME_UNKNOWN: "repository name not known"
}

/** A reason of the store as a refusal; `unknown` names what was not found. What is wrong inside is logged, not told. */
export const fromStore = (unknown: Code) => (error: StoreError): Refusal => {
  const { _tag, detail, retryAfter } = error.reason
  const [status, code] = table[_tag] ?? [500, "UNKNOWN"]
  if (status >= 500) {
    return new Refusal({ status, problems: [{ code, message: "the registry's storage failed" }], cause: error })
  }
  return refusal(
    status,
    _tag === "NotFound" ? unknown : code,
    // What was looked for is known to the client; where, is the server's own matter.
    _tag === "NotFound" ? phrases[unknown] ?? "not found" : detail,
    retryAfter === undefined ? {} : { headers: { "retry-after": String(Math.ceil(retryAfter / 1000)) } }
  )
}

export const toResponse = ({ headers, problems, status }: Refusal): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ errors: problems }, { status, ...(headers === undefined ? {} : { headers }) })
