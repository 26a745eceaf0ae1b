/** Answers of the status server, with the headers that keep a browser from doing more with them than showing them. */
import { HttpServerResponse } from "effect/http"

type Response = HttpServerResponse.HttpServerResponse

/** No other site may frame, embed or read an answer, and no cache keeps one. */
const guards = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store"
}

/** Headers of the answer itself win. */
export const guarded = (response: Response): Response =>
  HttpServerResponse.setHeaders(response, { ...guards, ...response.headers })

export const text = (status: number, body: string, contentType = "text/plain; charset=utf-8"): Response =>
  HttpServerResponse.uint8Array(new TextEncoder().encode(body), { status, contentType })

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  HttpServerResponse.uint8Array(new TextEncoder().encode(`${JSON.stringify(value)}\n`), {
    status,
    contentType: "application/json",
    headers
  })

export const problem = (status: number, error: string, headers: Readonly<Record<string, string>> = {}): Response =>
  json(status, { error }, headers)
