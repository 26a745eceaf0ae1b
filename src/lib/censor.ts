/**
 * Secrets in use, and texts without them. A server that gets a login may show it in what it answers, as it is or
 * encoded; what is shown of an answer goes through here.
 */

/** Secrets remembered: the oldest goes first, for tokens of a server end and are many. */
const most = 64

/** Shorter ones stand in too many words that mean something else. */
const shortest = 8

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** The texts in which a secret is recognised. */
const formsOf = (secret: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString("base64").replace(/=+$/, "")
  return [
    secret,
    inJson(secret),
    inJson(inJson(secret)),
    inJson(inJson(inJson(secret))),
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    base64,
    bytes.toString("base64url"),
    encodeURIComponent(base64),
    bytes.toString("hex")
  ]
}

export class Censor {
  readonly #secrets = new Set<string>()
  readonly #headers = new Set<string>()
  /** In small letters, the longest first: a part of another would leave the rest of it. */
  #forms: ReadonlyArray<string> = []

  /** A password, token or the like; one of less than eight characters is not looked for. */
  learn(secret: string): void {
    if (secret.length < shortest || this.#secrets.has(secret)) return
    const [oldest] = this.#secrets
    if (this.#secrets.size >= most && oldest !== undefined) this.#secrets.delete(oldest)
    this.#secrets.add(secret)
    const forms = new Set([...this.#secrets].flatMap(formsOf).map((form) => form.toLowerCase()))
    this.#forms = [...forms].toSorted((a, b) => b.length - a.length)
  }

  /** What an `Authorization` header gives away: a token, or a login and its password. */
  learnHeader(header: string): void {
    if (this.#headers.has(header)) return
    if (this.#headers.size >= most) this.#headers.clear()
    this.#headers.add(header)
    const [scheme = "", value = ""] = header.split(" ")
    if (scheme !== "Basic") return this.learn(value)
    const login = Buffer.from(value, "base64").toString()
    this.learn(login.slice(login.indexOf(":") + 1))
    this.learn(login)
  }

  /** The text with `[censored]` in place of every secret known, in any of their encodings, in small letters or large. */
  censored(text: string): string {
    let clean = text
    let lower = text.toLowerCase()
    for (const form of this.#forms) {
      if (!lower.includes(form)) continue
      clean = clean.replaceAll(new RegExp(form.replaceAll(/[^a-z0-9]/g, literal), "gi"), "[censored]")
      lower = clean.toLowerCase()
    }
    return clean
  }
}

/** A character that a pattern takes for itself. */
const literal = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
