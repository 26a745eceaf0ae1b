/** A transport that plays answers from a script and keeps what was asked. */
import { Effect, Layer, Option, Redacted } from "effect"
import { defaultHost, type Host } from "../../../src/schemas/Host.ts"
import { type ReasonTag, storeError } from "../../../src/schemas/StoreError.ts"
import type { Pump, Sink } from "../../../src/services/Bytes.ts"
import type { Credential } from "../../../src/services/Credentials.ts"
import { Credentials } from "../../../src/services/Credentials.ts"
import { Hosts } from "../../../src/services/Hosts.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import { RegistryAuth } from "../../../src/services/RegistryAuth.ts"
import { RegistryHttp } from "../../../src/services/RegistryHttp.ts"
import { type Reach, Transport, type TransportRequest } from "../../../src/services/Transport.ts"
import { Warnings } from "../../../src/services/Warnings.ts"

export interface Play {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body?: string | Uint8Array
  /** In place of a body: bytes that take their time. */
  readonly pump?: Pump
  /** The body ends with this failure. */
  readonly breaks?: ReasonTag
  /** In place of an answer. */
  readonly fails?: ReasonTag
  readonly reach?: Reach
  /** Milliseconds until the answer. */
  readonly after?: number
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly body: string
  readonly request: TransportRequest
}

export type Script = (asked: Asked, index: number) => Play

export interface Setting {
  readonly hosts?: Readonly<Record<string, Partial<Host>>>
  readonly credentials?: Readonly<Record<string, Partial<Credential>>>
}

export const login = (username: string, password: string): Credential => ({
  username,
  password: Redacted.make(password),
  source: "config.json"
})

/** Everything above the transport is real. */
export const playback = (script: Script | ReadonlyArray<Play>, { credentials = {}, hosts = {} }: Setting = {}) => {
  const asked: Array<Asked> = []
  const open = { now: 0 }
  const play: Script = typeof script === "function"
    ? script
    : (_, index) => script[index] ?? { status: 599, body: "script ended" }
  const transport = Layer.succeed(
    Transport,
    Transport.of({
      send: (request) =>
        Effect.gen(function*() {
          let body = ""
          if (request.body instanceof Uint8Array) body = new TextDecoder().decode(request.body)
          else if (request.body !== undefined) {
            yield* request.body.pump((view, release) => {
              body += new TextDecoder().decode(view)
              release()
            })
          }
          const it = { method: request.method, url: request.url.href, headers: request.headers, body, request }
          asked.push(it)
          const answer = play(it, asked.length - 1)
          if (answer.after !== undefined) yield* Effect.sleep(answer.after)
          if (answer.fails !== undefined)
            return yield* storeError(`Get "${request.url.href}"`, answer.fails, "failed as told")
          yield* Effect.acquireRelease(
            Effect.sync(() => open.now++),
            () => Effect.sync(() => open.now--)
          )
          return {
            status: answer.status ?? 200,
            headers: Object.fromEntries(
              Object.entries(answer.headers ?? {}).map(([name, value]) => [name, [value].flat()])
            ),
            ...(answer.reach === undefined ? {} : { reach: answer.reach }),
            body: answer.pump ?? ((sink: Sink) =>
              Effect.suspend(() => {
                const bytes = typeof answer.body === "string" ? new TextEncoder().encode(answer.body) : answer.body
                try {
                  if (bytes !== undefined) sink(bytes, () => {})
                } catch (error) {
                  return Effect.fail(error as ReturnType<typeof storeError>)
                }
                return answer.breaks === undefined
                  ? Effect.void
                  : Effect.fail(storeError("", answer.breaks, "broke as told"))
              }))
          }
        })
    })
  )
  const get = (name: string): Host => ({
    ...defaultHost(name),
    ...hosts[name],
    ...(hosts[name] === undefined ? {} : { isConfigured: true })
  })
  const settings = Layer.mergeAll(
    Layer.succeed(
      Hosts,
      Hosts.of({
        get: (name) => Effect.sync(() => get(name)),
        readOrder: (name) => Effect.sync(() => [...get(name).mirrors.map(get), get(name)])
      })
    ),
    Layer.succeed(
      Credentials,
      Credentials.of({
        get: ({ name }) =>
          Effect.sync(() => {
            const found = credentials[name]
            return found === undefined ? Option.none() : Option.some({ ...login("", ""), ...found })
          })
      })
    ),
    transport
  )
  const layer = RegistryHttp.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(RateLimiter.layer, RegistryAuth.layer, Warnings.layer)),
    Layer.provideMerge(settings)
  )
  return { layer, asked, open }
}
