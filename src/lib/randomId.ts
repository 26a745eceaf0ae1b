/** Names nobody can guess: 128 bits from the system's source of randomness. */
import { randomBytes } from "node:crypto"

/** 32 lower-case hex digits. */
export const randomId = (): string => randomBytes(16).toString("hex")
