/** The one failure of every operation on stored content; `reason` says what can be done about it. */
import { Data } from "effect"

/** The stable names of reasons, as `--logopt json` prints them. */
export type ReasonTag =
  | "NotFound"
  | "Unauthorized"
  | "Forbidden"
  | "CredInvalid"
  | "RateLimited"
  | "HttpStatus"
  | "Unsupported"
  | "ConnectFailed"
  | "DnsFailed"
  | "TlsFailed"
  | "ConnectionLost"
  | "Timeout"
  | "ProtocolError"
  | "RedirectRefused"
  | "TooManyRedirects"
  | "PaginationLoop"
  | "UploadRejected"
  | "UploadLost"
  | "DigestMismatch"
  | "DigestInvalid"
  | "SizeMismatch"
  | "SizeLimit"
  | "DepthLimit"
  | "ManifestInvalid"
  | "MediaTypeMismatch"
  | "UnsupportedMediaType"
  | "LoopDetected"
  | "ReferenceInvalid"
  | "LayoutInvalid"
  | "LayoutLocked"
  | "PathEscape"
  | "TarInvalid"
  | "DecompressLimit"
  | "FsNoSpace"
  | "FsPermission"
  | "FsIo"

interface Details {
  /** What the user reads; no secret, no stack. */
  readonly detail: string
  readonly status?: number
  /** Content that a manifest names is not where the manifest was put (distribution-spec, MANIFEST_BLOB_UNKNOWN). */
  readonly lacksContent?: true
  /** The login did not work, or its token was taken back: nothing was said of what was asked for. */
  readonly ofLogin?: true
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter?: number
}

export type Reason = { readonly [Tag in ReasonTag]: Details & { readonly _tag: Tag } }[ReasonTag]

export class StoreError extends Data.TaggedError("StoreError")<{
  /** What was tried on what, such as `failed to get manifest r:t`; empty for none. */
  readonly operation: string
  readonly reason: Reason
  readonly cause?: unknown
}> {
  override get message(): string {
    return this.operation === "" ? this.reason.detail : `${this.operation}: ${this.reason.detail}`
  }
}

/** A failure of `operation` for the reason named by its tag. */
export const storeError = (
  operation: string,
  tag: ReasonTag,
  detail: string,
  extra: Omit<Details, "detail"> & { readonly cause?: unknown } = {}
): StoreError => {
  const { cause, ...rest } = extra
  // The mapped type pairs every tag with one shape, which a union of tags cannot express.
  const reason = { _tag: tag, detail, ...rest } as Reason
  return new StoreError({ operation, reason, ...(cause === undefined ? {} : { cause }) })
}

/** The same failure, told as part of a larger operation: `outer: inner: reason`. */
export const within = (operation: string) => (error: StoreError): StoreError =>
  new StoreError({
    operation: error.operation === "" ? operation : `${operation}: ${error.operation}`,
    reason: error.reason,
    ...(error.cause === undefined ? {} : { cause: error.cause })
  })
