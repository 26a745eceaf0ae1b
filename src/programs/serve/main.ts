/** `regctl serve`: a registry of its own, until it is interrupted. */
import { Console, Effect, FileSystem, Stdio } from "effect"
import { ServeError } from "./Listener.ts"
import { serve } from "./start.ts"

export interface ServeInput {
  /** `host:port`; port 0 takes a free one. */
  readonly addr: string
  readonly dir?: string
  readonly readOnly: boolean
  readonly htpasswd?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly allowAnonymous: boolean
  /** Take images whose blobs are missing; the default refuses them. */
  readonly allowSparse?: boolean
}

/** Says on stderr where it listens, and to a person at a terminal how to use it. Fails with `ServeError`, `LoginError` or `StoreError` when it cannot start. */
export const run = Effect.fn("serve")(function*(input: ServeInput) {
  const { host, port } = yield* parseAddress(input.addr)
  if (!isLoopback(host) && input.htpasswd === undefined && !input.allowAnonymous) {
    return yield* new ServeError({
      message: `${input.addr} can be reached from other machines: give --htpasswd, or --allow-anonymous to let ` +
        "everybody read and write"
    })
  }
  const tls = yield* readTls(input)
  if (!isLoopback(host) && input.htpasswd !== undefined && tls === undefined) {
    yield* Effect.logWarning("passwords travel unencrypted without --tls-cert and --tls-key")
  }
  const url = yield* serve({
    host,
    port,
    isReadOnly: input.readOnly,
    isSparse: input.allowSparse ?? false,
    ...(input.dir === undefined ? {} : { dir: input.dir }),
    ...(input.htpasswd === undefined ? {} : { htpasswd: input.htpasswd }),
    ...(tls === undefined ? {} : { tls })
  })
  const place = input.dir === undefined ? "a temporary directory" : input.dir
  yield* Console.error(`listening on ${url} (${input.readOnly ? "read-only, " : ""}content in ${place})`)
  const stdio = yield* Stdio.Stdio
  if (tls === undefined && (yield* stdio.stderrIsTerminal)) yield* Console.error(`to use it: ${hintOf(url)}`)
  return yield* Effect.never
}, Effect.scoped)

/** What tells a client on this machine that a registry speaks http. */
const hintOf = (url: string): string =>
  `regctl registry set --tls disabled ${
    url.replace(/^http:\/\/(?:\[::\]|0\.0\.0\.0)?/, (it) => it === "http://" ? "" : "localhost")
  }`

const parseAddress = (text: string): Effect.Effect<{ readonly host: string; readonly port: number }, ServeError> => {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535) {
    return Effect.fail(new ServeError({ message: `invalid address "${text}", expected host:port` }))
  }
  return Effect.succeed({ host: parts[1] || parts[2] || "::", port })
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const readTls = ({ tlsCert, tlsKey }: ServeInput): Effect.Effect<
  { readonly cert: string; readonly key: string } | undefined,
  ServeError,
  FileSystem.FileSystem
> =>
  Effect.gen(function*() {
    if (tlsCert === undefined && tlsKey === undefined) return undefined
    if (tlsCert === undefined || tlsKey === undefined) {
      return yield* new ServeError({ message: "--tls-cert and --tls-key belong together" })
    }
    const fs = yield* FileSystem.FileSystem
    const [cert, key] = yield* Effect.mapError(
      Effect.all([fs.readFileString(tlsCert), fs.readFileString(tlsKey)]),
      ({ message }) => new ServeError({ message })
    )
    return { cert, key }
  })
