/** Signed schema 1 manifests, whose digest is over what was signed and not over all bytes (library description, 3.5). */
import { mediaTypes } from "./MediaType.ts"

interface Signed {
  readonly schemaVersion?: unknown
  readonly mediaType?: unknown
  readonly signatures?: unknown
}

export const isSchema1 = (type: string): boolean => type === mediaTypes.schema1 || type === mediaTypes.schema1Signed

/** The bytes that the signatures of a schema 1 manifest are over; `undefined` for one without. */
export const signedText = (bytes: Uint8Array): Uint8Array | undefined =>
  signedPayload(bytes, JSON.parse(new TextDecoder().decode(bytes)))

/**
 * As `signedText`, of bytes that were read already. What the signatures say was signed has to be the document without
 * them: else one could be sent under the digest of any other (faults C03).
 */
export const signedPayload = (bytes: Uint8Array, document: object | null): Uint8Array | undefined => {
  const { mediaType, schemaVersion, signatures } = (document ?? {}) as Signed
  if (schemaVersion !== 1 || !Array.isArray(signatures)) return undefined
  if (mediaType !== undefined && !(typeof mediaType === "string" && isSchema1(mediaType))) return undefined
  try {
    const header = JSON.parse(Buffer.from(String(signatures[0]?.protected), "base64url").toString("utf8"))
    const length = Number(header.formatLength)
    if (!(length >= 0 && length <= bytes.length)) return undefined
    const payload = Buffer.concat([
      bytes.subarray(0, length),
      Buffer.from(String(header.formatTail), "base64url")
    ])
    const { signatures: _, ...rest } = (document ?? {}) as Signed
    return JSON.stringify(JSON.parse(payload.toString("utf8"))) === JSON.stringify(rest) ? payload : undefined
  } catch {
    return undefined
  }
}
