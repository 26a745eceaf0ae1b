/** `regctl registry set`: changes settings of a registry in regctl's configuration file, then tries them. */
import { Effect, Redacted } from "effect"
import { expandedEntry, type HostEntry, parseTls } from "../../schemas/HostEntry.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"
import { Registry } from "../../services/Registry.ts"
import { find, named, registryOf, withEntry } from "./entry.ts"

export interface Input {
  readonly apiOpts: ReadonlyArray<string>
  /** Bytes. */
  readonly blobChunk: number
  /** Bytes; -1 for never by size. */
  readonly blobMax: number
  /** PEM texts, these three. */
  readonly cacert: string
  readonly clientCert: string
  readonly clientKey: string
  readonly credHelper: string
  readonly hostname: string
  readonly mirror: ReadonlyArray<string>
  readonly pathPrefix: string
  readonly priority: number
  readonly repoAuth: boolean
  readonly reqConcurrent: number
  readonly reqPerSec: number
  readonly skipCheck: boolean
  readonly tls: string
  /** Deprecated, without effect. */
  readonly dns: ReadonlyArray<string>
  readonly scheme: string
  /** The names of the flags that were given; the others change nothing. */
  readonly given: ReadonlySet<string>
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("registry set")(function*(input: Input) {
  const target = yield* named(registryOf(input.args))
  yield* refuse(input)
  const file = yield* ConfigFile
  const config = yield* file.load
  yield* warnDeprecated(target.name, input)
  const entry = find(config, target.name)?.entry ?? expandedEntry(target)
  yield* file.save(withEntry(config, target.name, changed(entry, input)))
  if (input.skipCheck) return
  yield* (yield* Registry).ping(target.name).pipe(
    Effect.tapError(() => Effect.logWarning("Failed to ping registry, configuration still updated"))
  )
})

/** Fails for the first flag whose value no registry could have. */
const refuse = (input: Input): Effect.Effect<void, UsageError> => {
  const { given } = input
  const least = [
    ["blob-chunk", input.blobChunk, 0],
    ["blob-max", input.blobMax, -1],
    ["priority", input.priority, 0],
    ["req-concurrent", input.reqConcurrent, 0],
    ["req-per-sec", input.reqPerSec, 0]
  ] as const
  const small = least.find(([flag, value, smallest]) => given.has(flag) && !(value >= smallest))
  if (small !== undefined) {
    return Effect.fail(new UsageError({ message: `${small[0]} must be at least ${small[2]}: ${small[1]}` }))
  }
  return given.has("tls") && input.tls !== "" && parseTls(input.tls) === undefined
    ? Effect.fail(new UsageError({ message: `unknown TLS value ${JSON.stringify(input.tls)}` }))
    : Effect.void
}

const warnDeprecated = Effect.fnUntraced(function*(name: string, { dns, given, scheme }: Input) {
  if (given.has("scheme")) {
    yield* Effect.logWarning("Scheme flag is deprecated, for http set tls to disabled").pipe(
      Effect.annotateLogs({ name, scheme })
    )
  }
  if (given.has("dns")) {
    yield* Effect.logWarning("DNS flag is deprecated, use hostname and mirrors instead").pipe(
      Effect.annotateLogs({ name, dns: `[${dns.join(" ")}]` })
    )
  }
})

const changed = (entry: HostEntry, input: Input): HostEntry => {
  const tls = parseTls(input.tls)
  const settings: Readonly<Record<string, HostEntry>> = {
    "api-opts": { apiOpts: optionsOf(entry.apiOpts ?? {}, input.apiOpts) },
    "blob-chunk": { blobChunk: input.blobChunk },
    "blob-max": { blobMax: input.blobMax },
    cacert: { regcert: input.cacert },
    "client-cert": { clientCert: input.clientCert },
    "client-key": { clientKey: Redacted.make(input.clientKey) },
    "cred-helper": { credHelper: input.credHelper },
    hostname: { hostname: input.hostname },
    mirror: { mirrors: input.mirror.filter((it) => it !== "") },
    "path-prefix": { pathPrefix: input.pathPrefix },
    priority: { priority: input.priority },
    "repo-auth": { repoAuth: input.repoAuth },
    "req-concurrent": { reqConcurrent: input.reqConcurrent },
    "req-per-sec": { reqPerSec: input.reqPerSec },
    tls: tls === undefined ? {} : { tls }
  }
  return { ...entry, ...Object.fromEntries([...input.given].flatMap((flag) => Object.entries(settings[flag] ?? {}))) }
}

/** `key=value` sets, `key=` and `key` remove. */
const optionsOf = (
  old: Readonly<Record<string, string>>,
  texts: ReadonlyArray<string>
): Readonly<Record<string, string>> => {
  const options = new Map(Object.entries(old))
  for (const text of texts) {
    const [, key = "", value = ""] = /^([^=]*)=?([^]*)$/.exec(text) ?? []
    if (value === "") options.delete(key)
    else options.set(key, value)
  }
  return Object.fromEntries(options)
}
