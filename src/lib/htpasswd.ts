/**
 * Password files as Apache's `htpasswd` writes them: bcrypt (`-B`), salted MD5 (`-m`) and SHA-1 (`-s`).
 * The comparison takes the same time whether the name is known or not.
 */
import { compare } from "bcryptjs"
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto"

/** Hashes by user name. */
export type Entries = ReadonlyMap<string, string>

/** `problem` names the line, never its content. */
export type Parsed = { readonly entries: Entries } | { readonly problem: string }

const known =
  /^(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|\{SHA\}[A-Za-z0-9+/]{27}=)$/

/** Reads `name:hash` lines; empty lines and those starting with `#` are passed over. */
export const parseHtpasswd = (text: string): Parsed => {
  const entries = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue
    const colon = line.indexOf(":")
    if (colon < 1) return { problem: `line ${index + 1}: not of the form name:hash` }
    const hash = line.slice(colon + 1).trim()
    if (!known.test(hash)) {
      return { problem: `line ${index + 1}: unsupported password hash, use bcrypt (htpasswd -B), apr1 or SHA` }
    }
    entries.set(line.slice(0, colon), hash)
  }
  return { entries }
}

/** A bcrypt hash of no password known, compared for unknown names. */
const nobody = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

/** Whether the password is that of the name. */
export const isPassword = async (entries: Entries, name: string, password: string): Promise<boolean> => {
  const hash = entries.get(name)
  if (hash === undefined) {
    await compare(password, firstBcrypt(entries) ?? nobody)
    return false
  }
  if (hash.startsWith("{SHA}")) {
    return isSame(hash.slice(5), createHash("sha1").update(password, "utf8").digest("base64"))
  }
  if (hash.startsWith("$apr1$")) return isSame(hash, apr1(password, hash.split("$")[2] ?? ""))
  return compare(password, hash)
}

const firstBcrypt = (entries: Entries): string | undefined => {
  for (const hash of entries.values()) if (hash.startsWith("$2")) return hash
  return undefined
}

let key: Buffer | undefined

/** A name for a text that does not tell the text: equal texts have equal names, in this process only. */
export const fingerprint = (text: string): string =>
  createHmac("sha256", key ??= randomBytes(32)).update(text, "utf8").digest("base64")

const isSame = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const md5 = (...parts: ReadonlyArray<Buffer>): Buffer => createHash("md5").update(Buffer.concat(parts)).digest()

const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/** Apache's salted MD5 in a thousand rounds. */
const apr1 = (text: string, saltText: string): string => {
  const password = Buffer.from(text, "utf8")
  const salt = Buffer.from(saltText, "latin1")
  const inner = md5(password, salt, password)
  const parts: Array<Buffer> = [password, Buffer.from("$apr1$"), salt]
  for (let left = password.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)))
  for (let bits = password.length; bits > 0; bits >>= 1) {
    parts.push((bits & 1) === 1 ? Buffer.from([0]) : password.subarray(0, 1))
  }
  let state = md5(...parts)
  for (let round = 0; round < 1000; round++) {
    const odd = round % 2 === 1
    state = md5(
      odd ? password : state,
      round % 3 === 0 ? Buffer.alloc(0) : salt,
      round % 7 === 0 ? Buffer.alloc(0) : password,
      odd ? state : password
    )
  }
  const order = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]]
  const byte = (at: number | undefined) => state[at ?? 0] ?? 0
  let encoded = ""
  for (const [a, b, c] of order) encoded += letters((byte(a) << 16) | (byte(b) << 8) | byte(c), 4)
  return `$apr1$${saltText}$${encoded}${letters(byte(11), 2)}`
}

const letters = (value: number, count: number): string => {
  let text = ""
  for (let left = value, n = 0; n < count; n++, left >>= 6) text += alphabet[left & 63]
  return text
}
