/** Whether two secrets are the same, in a time that tells nothing of where they differ or how long they are. */
import { createHash, timingSafeEqual } from "node:crypto"

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

export const isSameSecret = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
