/** The answer to a request for content, and which part of the content its body is (RFC 9110, section 14). */
import type { Effect } from "effect"
import type { Headers } from "../../schemas/Manifest.ts"
import { storeError } from "../../schemas/StoreError.ts"
import type { Pump } from "../Bytes.ts"

/** An answer, and how to give it up. */
export interface Opened {
  readonly status: number
  readonly headers: Headers
  readonly body: Pump
  /** Tells a mirror from the host itself: others are asked for the rest. */
  readonly reject?: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

/** `bytes 5-9/10` of an answer, both ends included; the total is none for `*`. */
export const contentRange = (
  headers: Headers
): { readonly start: number; readonly end: number; readonly total: number | undefined } | undefined => {
  const parts = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers["content-range"]?.[0]?.trim() ?? "")
  return parts === null
    ? undefined
    : { start: Number(parts[1]), end: Number(parts[2]), total: parts[3] === "*" ? undefined : Number(parts[3]) }
}

/** Where the body of an answer begins; none when it is not what was asked for. */
export const positionOf = (
  { headers, status }: Pick<Opened, "status" | "headers">,
  from: number,
  total: number | undefined
): number | undefined => {
  if (status === 200) return 0
  const range = status === 206 ? contentRange(headers) : undefined
  if (range === undefined || range.start !== from) return undefined
  return total === undefined || range.total === undefined || range.total === total ? from : undefined
}

export const noRange = storeError("", "ProtocolError", "range request not supported by server")
