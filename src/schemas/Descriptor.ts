/** The pointer of the content graph: media type, digest and size, as OCI writes it (image-spec, descriptor.md). */
import { Schema } from "effect"
import { Digest } from "./Digest.ts"

/** JSON form of a platform; texts such as `linux/arm64` are read and compared by `Platform.ts`. */
export const Platform = Schema.Struct({
  architecture: Schema.String,
  os: Schema.String,
  "os.version": Schema.optionalKey(Schema.String),
  "os.features": Schema.optionalKey(Schema.Array(Schema.String)),
  variant: Schema.optionalKey(Schema.String),
  features: Schema.optionalKey(Schema.Array(Schema.String))
})
export type Platform = typeof Platform.Type

/** Sizes are bytes, from 0 to 2^53-1 (faults D6, C10). */
export const Size = Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))

export const Annotations = Schema.Record(Schema.String, Schema.String)
export type Annotations = typeof Annotations.Type

export const Descriptor = Schema.Struct({
  mediaType: Schema.String,
  digest: Digest,
  size: Size,
  urls: Schema.optionalKey(Schema.Array(Schema.String)),
  annotations: Schema.optionalKey(Annotations),
  data: Schema.optionalKey(Schema.String),
  platform: Schema.optionalKey(Platform),
  artifactType: Schema.optionalKey(Schema.String)
})
export type Descriptor = typeof Descriptor.Type
