/** A blob as templates see it. */
import { Struct, textOf } from "../../lib/gotemplate/value.ts"
import type { Headers } from "../../schemas/Manifest.ts"
import { descriptorView, type PartialDescriptor } from "./descriptor.ts"
import { digestView } from "./digest.ts"
import { headersView } from "./headers.ts"

export interface BlobFacts {
  readonly descriptor: PartialDescriptor
  readonly headers: Headers
  readonly bytes: Uint8Array
}

/** Methods that every kind of blob has. */
export const blobMethods = ({ bytes, descriptor, headers }: BlobFacts) => ({
  GetDescriptor: () => descriptorView(descriptor),
  RawBody: () => bytes,
  RawHeaders: () => headersView(headers),
  Digest: () => digestView(descriptor.digest ?? ""),
  Length: () => descriptor.size ?? bytes.length,
  MediaType: () => descriptor.mediaType ?? ""
})

/** Its pretty form is its bytes; its type is what a registry calls it, which a layout does not. */
export const blobView = ({ bytes, descriptor, headers }: BlobFacts): Struct => {
  const isCalled = Object.keys(headers).length > 0
  const methods = blobMethods({ bytes, descriptor: isCalled ? descriptor : { ...descriptor, mediaType: "" }, headers })
  return new Struct("blob.BReader", {}, { isPointer: true, pretty: () => textOf(bytes), methods })
}
