/** `WWW-Authenticate` headers (RFC 9110, section 11.6.1): several challenges in one header, several headers. */
import { Result } from "effect"

export interface Challenge {
  /** Lower case. */
  readonly scheme: string
  /** Keys in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
/** What unquoted values of sloppy servers consist of: a token, or a URL without quotes. */
const bare = /[^\s,"\\]+/y
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y
const quotedText = /"((?:[^"\\]|\\.)*)"/y

/** Longest headers looked at, in characters: far above what a server needs. */
const maxLength = 16_384

/** All challenges in their order; fails with the text that names the header when one is malformed. */
export const parseChallenges = (
  headers: ReadonlyArray<string>
): Result.Result<ReadonlyArray<Challenge>, string> => {
  const found: Array<Challenge> = []
  for (const header of headers) {
    const challenges = header.length > maxLength ? undefined : parseHeader(header)
    if (challenges === undefined) {
      return Result.fail(`failed to parse challenge header: ${header.slice(0, 200)}: parsing failed`)
    }
    found.push(...challenges)
  }
  return Result.succeed(found)
}

const parseHeader = (header: string): ReadonlyArray<Challenge> | undefined => {
  const reader = new Reader(header)
  const challenges: Array<Challenge> = []
  reader.separators()
  while (!reader.isAtEnd) {
    const scheme = reader.take(token)
    if (scheme === undefined) return undefined
    const parameters = reader.spaces() ? readParameters(reader) : {}
    if (parameters === undefined) return undefined
    challenges.push({ scheme: scheme.toLowerCase(), parameters })
    if (!reader.isAtEnd && !reader.separators()) return undefined
  }
  return challenges
}

/** `k=v` pairs until a word without `=` begins the next challenge; a `token68` in their place is passed over. */
const readParameters = (reader: Reader): Readonly<Record<string, string>> | undefined => {
  const parameters = new Map<string, string>()
  if (!reader.isParameterNext() && reader.take(token68) !== undefined) return {}
  while (reader.isParameterNext()) {
    const key = reader.take(token) ?? ""
    reader.skipEquals()
    const value = reader.isQuoteNext() ? unescaped(reader.take(quotedText)) : reader.take(bare) ?? ""
    if (value === undefined) return undefined
    if (!parameters.has(key.toLowerCase())) parameters.set(key.toLowerCase(), value)
    const before = reader.at
    if (reader.isAtEnd || !reader.separators()) break
    if (!reader.isAtEnd && !reader.isParameterNext()) {
      reader.at = before
      break
    }
  }
  return Object.fromEntries(parameters)
}

const unescaped = (quoted: string | undefined): string | undefined => quoted?.slice(1, -1).replace(/\\(.)/g, "$1")

class Reader {
  readonly text: string
  at = 0
  constructor(text: string) {
    this.text = text.trim()
  }
  get isAtEnd(): boolean {
    return this.at >= this.text.length
  }
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }
  spaces(): boolean {
    return this.take(/[ \t]+/y) !== undefined
  }
  separators(): boolean {
    return this.take(/[ \t]*,[ \t,]*/y) !== undefined
  }
  isParameterNext(): boolean {
    const pattern = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=(?!=*[ \t]*(?:,|$))|[!#$%&'*+\-.^_`|~0-9A-Za-z]+=(?=$|,)/y
    pattern.lastIndex = this.at
    return pattern.test(this.text)
  }
  skipEquals(): void {
    this.take(/[ \t]*=[ \t]*/y)
  }
  isQuoteNext(): boolean {
    return this.text[this.at] === "\""
  }
}
