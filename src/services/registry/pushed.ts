/** What the answer to the push of a manifest says of it. */
import { Effect } from "effect"
import { hashHex } from "../../lib/hash.ts"
import { algorithmOf, encodedOf, isDigest } from "../../schemas/Digest.ts"
import { header, type Headers, type Manifest } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { type Settled, statusOf } from "./exchange.ts"

/** 201, or another success that names a digest. Any other may be that of a page, or be cut: it is looked into (faults N35, N42). */
export const isAcknowledged = ({ headers, status }: Settled): boolean =>
  status === 201 || status === 204 || header(headers, "docker-content-digest") !== undefined

export const unacknowledged = ({ status }: Settled): StoreError =>
  storeError("", "ProtocolError", `answered with status ${status}, but the manifest is not there`)

/** A tag that may not be moved (registry-quirks 3.12). */
export const isImmutable = (error: StoreError): boolean => {
  const status = statusOf(error)
  return status === 409 || status === 412 ||
    (status === 400 && /immutable|already ?exists/i.test(error.reason.detail))
}

/** The registry says that content the manifest names is not there. */
export const isBlobUnknown = (error: StoreError): boolean => {
  const status = statusOf(error)
  return (status === 400 || status === 404) && /BLOB_UNKNOWN/.test(error.reason.detail)
}

export const isSame = (pushed: Manifest) => (found: Manifest): boolean =>
  Buffer.compare(pushed.bytes, found.bytes) === 0

/** Fails when the registry says that it stored something else. */
export const stored = ({ bytes, descriptor }: Manifest, headers: Headers): Effect.Effect<Headers, StoreError> => {
  const received = header(headers, "docker-content-digest")
  if (received === undefined || received === descriptor.digest) return Effect.succeed(headers)
  // A registry may name content by its own algorithm, whichever was asked for.
  const isSame = isDigest(received) && algorithmOf(received) !== algorithmOf(descriptor.digest) &&
    hashHex(algorithmOf(received), bytes) === encodedOf(received)
  return isSame ? Effect.succeed(headers) : Effect.fail(
    storeError(
      "",
      "DigestMismatch",
      `failed to put manifest, unexpected digest returned, expected ${descriptor.digest}, received ${received}`
    )
  )
}
