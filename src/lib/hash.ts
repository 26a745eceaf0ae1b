/** Digests of bytes, whole or as they pass. The only module that names `node:crypto`'s hash functions. */
import { createHash, hash } from "node:crypto"

export type HashName = "sha256" | "sha384" | "sha512"

export interface Hasher {
  readonly update: (bytes: Uint8Array) => void
  /** Lower-case hex; ends the hasher. */
  readonly hex: () => string
}

/** Lower-case hex of the whole. */
export const hashHex = (name: HashName, bytes: Uint8Array): string => hash(name, bytes, "hex")

export const hasher = (name: HashName): Hasher => {
  const state = createHash(name)
  return { update: (bytes) => void state.update(bytes), hex: () => state.digest("hex") }
}
