/** A content digest such as `sha256:9f86…`: the identity of every blob and manifest (OCI image-spec, descriptor.md). */
import { Schema } from "effect"

export const Digest = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/)),
  Schema.brand("Digest")
)
export type Digest = typeof Digest.Type

export type Algorithm = "sha256" | "sha384" | "sha512"

export const isDigest = Schema.is(Digest)

const lengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** Why a text is no digest, in the words users know; `undefined` when it is one. */
export const digestProblem = (text: string): string | undefined => {
  const parts = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text)
  if (parts === null) return "invalid checksum digest format"
  const length = lengths[parts[1] ?? ""]
  if (length === undefined) return "unsupported digest algorithm"
  if (parts[2]?.length !== length) return "invalid checksum digest length"
  return isDigest(text) ? undefined : "invalid checksum digest format"
}

export const algorithmOf = (digest: Digest): Algorithm => digest.slice(0, digest.indexOf(":")) as Algorithm // checked by the brand

export const encodedOf = (digest: Digest): string => digest.slice(digest.indexOf(":") + 1)
