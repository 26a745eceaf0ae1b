/** What is worth another attempt, and when (faults, section 1, retries). */
import { Clock, Context, Effect, Random } from "effect"
import type { StoreError } from "../../schemas/StoreError.ts"

/** Attempts at one host. */
export const attemptsPerHost = 5

/** Attempts at all hosts of a request that may go to several. */
export const attemptsInAll = 6

/** The longest `Retry-After` that is waited for, in milliseconds; a longer one ends the request at once (faults N14). */
export const LongestRetryAfter = Context.Reference<number>("regclient/services/RegistryHttp/LongestRetryAfter", {
  defaultValue: () => 60_000
})

/** The wait after the nth failure in a row, in milliseconds: 200 doubling up to 30,000, varied by a fifth. */
export const backoffDelay = (failures: number, random: number): number =>
  Math.round(Math.min(100 * 2 ** failures, 30_000) * (0.8 + 0.4 * random))

/** The same, with chance drawn. */
export const backoff = (failures: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => backoffDelay(failures, random))

/** Waits after the nth failure in a row, at least as long as the server asked for. */
export const pause = (failures: number, { reason }: StoreError): Effect.Effect<void> =>
  Effect.flatMap(backoff(failures), (wait) => Effect.sleep(Math.max(wait, reason.retryAfter ?? 0)))

export const isTransientStatus = (status: number): boolean =>
  status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504) ||
  (status >= 520 && status <= 527)

/** Whether the failure of a request may pass by itself; `failures` counts it. A name that does not resolve gets one retry. */
export const isTransient = ({ reason }: StoreError, failures: number): boolean => {
  switch (reason._tag) {
    case "ConnectFailed":
    case "ConnectionLost":
    case "Timeout":
    case "ProtocolError":
      return true
    case "DnsFailed":
      return failures < 2
    case "RateLimited":
    case "HttpStatus":
      return reason.status !== undefined && isTransientStatus(reason.status)
    default:
      return false
  }
}

/** Milliseconds in which a host that sent something wrong is asked last. */
const rejected = 60_000

/** When each host may be asked again, in milliseconds of the clock. */
export class Health {
  readonly #until = new Map<string, number>()

  until(host: string): number {
    return this.#until.get(host) ?? 0
  }

  /** After a failure. */
  postpone(host: string, until: number): void {
    this.#until.set(host, Math.max(until, this.until(host)))
  }

  /** After content that was wrong although its request went well. */
  reject(host: string): Effect.Effect<void> {
    return Effect.map(Clock.currentTimeMillis, (now) => this.postpone(host, now + rejected))
  }

  /** Hosts that may be asked now before the others, those by the end of their waits. */
  order<A extends { readonly name: string }>(hosts: ReadonlyArray<A>, now: number): ReadonlyArray<A> {
    const rank = ({ name }: A) => Math.max(0, this.until(name) - now)
    return hosts.length < 2 ? hosts : [...hosts].sort((a, b) => rank(a) - rank(b))
  }

  readonly wait = (host: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const until = this.until(host)
      if (until === 0) return Effect.void
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (until <= now) return Effect.void
        return Effect.andThen(
          Effect.annotateLogs(Effect.logDebug("Sleeping for backoff"), { host, milliseconds: until - now }),
          Effect.sleep(until - now)
        )
      })
    })
}
