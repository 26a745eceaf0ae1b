/** Digests of bytes. Apart from `Digest`, since what only names content starts without loading what hashes it. */
import { hashHex } from "../lib/hash.ts"
import { type Algorithm, Digest } from "./Digest.ts"

/** Of bytes that are here as a whole. */
export const computeDigest = (algorithm: Algorithm, bytes: Uint8Array): Digest =>
  Digest.make(`${algorithm}:${hashHex(algorithm, bytes)}`)
