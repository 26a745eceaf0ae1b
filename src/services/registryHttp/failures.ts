/** A status that is no success, with its body, as a failure with a reason (library description, section 8.8). */
import { Effect } from "effect"
import { statusPhrase } from "../../lib/httpStatus.ts"
import { cut, visible } from "../../lib/visibleText.ts"
import { header } from "../../schemas/Manifest.ts"
import { type ReasonTag, type StoreError, storeError } from "../../schemas/StoreError.ts"
import { Secrets } from "../Secrets.ts"
import type { TransportResponse } from "../Transport.ts"

/** Bytes read of a body that explains a failure, and characters of it that are shown. */
const [readLimit, shownLimit] = [64 * 1024, 2_000]

const enough = storeError("", "SizeLimit", "enough")

/** The beginning of a body as text, without secrets known; what breaks on the way only ends it. */
export const readText = ({ body, headers }: Pick<TransportResponse, "body" | "headers">): Effect.Effect<string> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    const read = body((view, release) => {
      parts.push(view.slice(0, readLimit - size))
      size += view.length
      release()
      if (size >= readLimit) throw enough
    })
    // Only the text matters; the failure that it explains is the one to tell.
    return Effect.gen(function*() {
      yield* Effect.ignore(read)
      const secrets = yield* Secrets
      return header(headers, "content-encoding") === undefined
        ? secrets.censored(new TextDecoder().decode(Buffer.concat(parts)))
        : ""
    })
  })

/** Escaped and cut; a last newline of its own stays. */
const shownBody = (text: string): string => {
  const end = /\r?\n$/.exec(text)?.[0] ?? ""
  return cut(visible(text.slice(0, text.length - end.length)), shownLimit) + (end === "" ? "" : "\n")
}

const statusText = (status: number): string => {
  switch (status) {
    case 401:
    case 403:
      return `unauthorized [http ${status}]`
    case 404:
      return "not found [http 404]"
    case 429:
      return "rate limit exceeded [http 429]"
    default:
      return `unexpected http status code: ${statusPhrase(status)} [http ${status}]`
  }
}

const tags: Readonly<Record<number, ReasonTag>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  429: "RateLimited"
}

export interface StatusFailure {
  readonly status: number
  readonly body: string
  /** Milliseconds. */
  readonly retryAfter?: number | undefined
  /** Where the login came from that did not help. */
  readonly source?: string | undefined
  /** The token that was sent holds no longer, and a new one did neither (RFC 6750, 3.1). */
  readonly isTokenRefused?: boolean
}

/** `request failed: <status text>: <body>`. */
export const statusFailure = (
  { body, isTokenRefused = false, retryAfter, source, status }: StatusFailure
): StoreError => {
  const login = source === undefined ? "" : ` (credentials from ${cut(visible(source), 200)})`
  return storeError(
    "request failed",
    tags[status] ?? "HttpStatus",
    `${statusText(status)}${login}: ${shownBody(body)}`,
    {
      status,
      ...(isTokenRefused ? { ofLogin: true } : {}),
      ...(retryAfter === undefined ? {} : { retryAfter })
    }
  )
}

/** The same failure as one that is not waited for: it says when to try again (faults N14). */
export const tooLate = ({ cause, operation, reason }: StoreError, milliseconds: number): StoreError =>
  storeError(
    operation,
    "RateLimited",
    `${reason.detail.trimEnd()} (try again in ${Math.ceil(milliseconds / 1000)} s)`,
    {
      retryAfter: milliseconds,
      ...(reason.status === undefined ? {} : { status: reason.status }),
      ...(cause === undefined ? {} : { cause })
    }
  )
