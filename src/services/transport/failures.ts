/**
 * Failures of the network as `StoreError`s: what Node says, translated once and without secrets. Touches the platform:
 * its error codes.
 */
import { getSystemErrorMap } from "node:util"
import { isQueryHarmless } from "../../lib/harmlessQuery.ts"
import { tooManyFiles } from "../../lib/tooManyFiles.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"

/** A URL for people: without user info and fragment, with its query only where that holds no signature. */
export const shownUrl = (url: URL): string => {
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  return isQueryHarmless(url) ? `${shown}${url.search}` : shown
}

/** `Get "https://host/path"`. */
export const operationOf = (method: string, url: URL): string =>
  `${method.slice(0, 1).toUpperCase()}${method.slice(1).toLowerCase()} "${shownUrl(url)}"`

interface PlatformError {
  readonly code: string
  readonly text: string
}

const platformError = (error: unknown): PlatformError => {
  const inner = error instanceof AggregateError ? error.errors[0] : error
  if (!(inner instanceof Error)) return { code: "", text: clean(String(inner)) }
  const code = "code" in inner && typeof inner.code === "string" ? inner.code : ""
  const reason = "reason" in inner && typeof inner.reason === "string" ? inner.reason : inner.message
  return { code, text: systemText(inner) ?? clean(reason) }
}

const systemText = (error: Error): string | undefined =>
  "code" in error && error.code === "EMFILE"
    ? tooManyFiles
    : "errno" in error && typeof error.errno === "number"
    ? getSystemErrorMap().get(error.errno)?.[1]
    : undefined

/** Texts may quote what a server sent (names in its certificate): one line, no control characters, cut. */
const clean = (text: string): string => text.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, " ").trim().slice(0, 500)

export const codeOf = (error: unknown): string => platformError(error).code

const transient: ReadonlySet<string> = new Set(["EAI_AGAIN", "ETIMEOUT"])

export const dnsFailed = (operation: string, host: string, cause: unknown): StoreError => {
  const { code, text } = platformError(cause)
  const why = code === "ENOTFOUND" || code === "ENODATA" ?
    "no such host" :
    transient.has(code)
    ? "temporary failure in name resolution"
    : text
  return storeError(operation, "DnsFailed", `dial tcp: lookup ${host}: ${why}`, { cause })
}

export const connectFailed = (operation: string, address: string, cause: unknown): StoreError =>
  storeError(operation, "ConnectFailed", `dial tcp ${address}: connect: ${platformError(cause).text}`, { cause })

const resets: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT", "EHOSTUNREACH"])

/** A handshake that failed; a connection that broke in it is one like any other. */
export const tlsFailed = (operation: string, address: string, cause: unknown): StoreError => {
  const { code, text } = platformError(cause)
  if (resets.has(code)) {
    return storeError(operation, "ConnectionLost", `tls handshake with ${address}: connection reset`, { cause })
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_HTTP_REQUEST") {
    return storeError(operation, "TlsFailed", "http: server gave HTTP response to HTTPS client", { cause })
  }
  const isAlert = code.startsWith("ERR_SSL") || code === "EPROTO"
  const detail = isAlert
    ? `tls handshake with ${address}: ${text}`
    : `tls: failed to verify certificate: ${certificateProblem(code, text)}`
  return storeError(operation, "TlsFailed", detail, { cause })
}

const unknownAuthority: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])
const outOfTime: ReadonlySet<string> = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"])

/** Go's words first, as scripts look for them, then the platform's without its advice on options of Node. */
const certificateProblem = (code: string, text: string): string => {
  const own = text.replace(/; if the root CA is installed locally.*$/, "")
  if (unknownAuthority.has(code)) return `x509: certificate signed by unknown authority (${own})`
  return outOfTime.has(code) ? `x509: certificate has expired or is not yet valid: ${own}` : own
}

/** An exchange that failed after the connection stood. */
export const exchangeFailed = (operation: string, address: string, cause: unknown): StoreError => {
  const { code, text } = platformError(cause)
  if (code.startsWith("HPE_")) {
    return storeError(operation, "ProtocolError", `malformed HTTP response: ${text}`, { cause })
  }
  // TLS 1.3 servers judge the client's certificate after the client considers the handshake done.
  if (/^ERR_SSL_.*ALERT/.test(code)) return tlsFailed(operation, address, cause)
  return storeError(operation, "ConnectionLost", `connection to ${address} lost: ${text}`, { cause })
}

export const timedOut = (operation: string, what: string, milliseconds: number): StoreError =>
  storeError(operation, "Timeout", `${what} within ${milliseconds / 1000} s`)
