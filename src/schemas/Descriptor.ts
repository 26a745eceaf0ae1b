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

/** Of content without a byte, by each algorithm. */
const emptyDigests: ReadonlySet<string> = new Set([
  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "sha384:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
  "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
])

/** A size of 0 is one that nobody knew, as of layers of docker's schema 1, but for the empty content itself. */
export const isSizeKnown = ({ digest, size }: Pick<Descriptor, "digest" | "size">): boolean =>
  size > 0 || emptyDigests.has(digest)
