/**
 * What all sources of configuration say of registries, merged (library description, sections 4.5 and 5): docker's
 * configuration, regctl's hosts, `--host`, in this order. Read when it is first asked for, and once.
 */
import { Context, Effect, Layer, Path, Redacted, Result } from "effect"
import { parseKeyValues } from "../lib/keyValue.ts"
import { readUpTo } from "../lib/readUpTo.ts"
import { decodeDockerConfig, type DockerConfig } from "../schemas/DockerConfig.ts"
import { type HostEntry, mergeEntry, namedHost, parseTls } from "../schemas/HostEntry.ts"
import { emptyConfig, type RegctlConfig } from "../schemas/RegctlConfig.ts"
import { ConfigFile } from "./ConfigFile.ts"
import { home, variable } from "./Environment.ts"
import { fsError } from "./fsError.ts"
import { Globals } from "./Globals.ts"

export interface SourcedEntry {
  readonly entry: HostEntry
  /** Where its login was found, for messages. */
  readonly source: string
}

export interface MergedEntries {
  readonly entries: ReadonlyMap<string, SourcedEntry>
  /** What a registry without an entry starts from. */
  readonly hostDefault: HostEntry
  /** Bytes up to which a registry may ask for larger chunks; 0 when nothing is said of it. */
  readonly blobLimit: number
  /** Whether docker's certificates count. */
  readonly incDockerCert: boolean
  /** The program to ask for the login of any host without one. */
  readonly credsStore?: string
  /** Logins of podman and its kin, asked last: of hosts, and of parts of them as `host/path`. */
  readonly lastResort: ReadonlyMap<string, SourcedEntry>
}

export class HostEntries extends Context.Service<HostEntries, {
  readonly merged: Effect.Effect<MergedEntries>
}>()("regclient/services/HostEntries") {
  static readonly layer = Layer.effect(
    HostEntries,
    Effect.gen(function*() {
      const file = yield* ConfigFile
      const paths = yield* Path.Path

      const readDocker = Effect.fnUntraced(function*(name: string, mayHavePaths: boolean) {
        if (name === "") return undefined
        const bytes = yield* Effect.tryPromise({
          try: (signal) => readUpTo(name, maxDocker, signal),
          catch: fsError(name, "read")
        }).pipe(
          Effect.catchReason("StoreError", "NotFound", () => Effect.succeed(new Uint8Array())),
          Effect.catch(({ reason }) => Effect.as(warnDocker(name, reason.detail), new Uint8Array()))
        )
        return yield* importDocker(name, new TextDecoder().decode(bytes), mayHavePaths)
      })

      const merge = Effect.gen(function*() {
        const config = yield* Effect.catch(file.load, (error) =>
          Effect.as(
            Effect.logWarning("Failed to load default config").pipe(Effect.annotateLogs({ err: error.message })),
            emptyConfig
          ))
        const draft = new Draft(config.hostDefault ?? {})
        let credsStore: string | undefined
        let lastResort: ReadonlyMap<string, SourcedEntry> = new Map()
        if (config.incDockerCred !== false) {
          const user = yield* home
          const directory = (yield* variable("DOCKER_CONFIG")) || (user === "" ? "" : paths.join(user, ".docker"))
          const dockerFile = directory === "" ? "" : paths.join(directory, "config.json")
          for (
            const [source, docker] of [
              [dockerFile, yield* readDocker(dockerFile, false)],
              ["DOCKER_AUTH_CONFIG", yield* importDocker("DOCKER_AUTH_CONFIG", yield* variable("DOCKER_AUTH_CONFIG"))]
            ] as const
          ) {
            for (const [name, entry] of docker?.entries ?? []) yield* draft.add(name, entry, source, {})
            credsStore = docker?.credsStore ?? credsStore
          }
          const runtime = yield* variable("XDG_RUNTIME_DIR")
          const containersFile = (yield* variable("REGISTRY_AUTH_FILE")) ||
            (runtime === "" ? "" : paths.join(runtime, "containers", "auth.json"))
          lastResort = sourced(containersFile, yield* readDocker(containersFile, true))
        }
        yield* addConfigured(draft, config, file)
        for (const text of (yield* Globals).hosts) yield* addText(draft, text)
        return {
          entries: draft.entries,
          hostDefault: draft.hostDefault,
          incDockerCert: config.incDockerCert !== false,
          blobLimit: config.blobLimit,
          ...(credsStore === undefined ? {} : { credsStore }),
          lastResort
        }
      })
      return HostEntries.of({ merged: yield* Effect.cached(merge) })
    })
  )

  /** Nothing but these entries. */
  static readonly layerOf = (given: Readonly<Record<string, HostEntry>>, more: Partial<MergedEntries> = {}) =>
    Layer.succeed(
      HostEntries,
      HostEntries.of({
        merged: Effect.succeed({
          entries: new Map(Object.entries(given).map(([name, entry]) => [name, { entry, source: "given" }])),
          hostDefault: {},
          incDockerCert: true,
          blobLimit: 0,
          lastResort: new Map(),
          ...more
        })
      })
    )
}

/** The entries so far; each source adds to them. */
class Draft {
  readonly entries = new Map<string, SourcedEntry>()
  readonly hostDefault: HostEntry
  constructor(hostDefault: HostEntry) {
    this.hostDefault = hostDefault
  }
  /** Merges into the entry of this name, or into `start` when it is the first. */
  add(name: string, entry: HostEntry, source: string, start: HostEntry): Effect.Effect<void> {
    return Effect.suspend(() => {
      const old = this.entries.get(name)
      const merged = mergeEntry(old?.entry ?? {}, entry)
      // Defaults are no earlier choice of the user: replacing them is not worth a warning.
      const whole = old === undefined ? mergeEntry(start, entry).entry : merged.entry
      const hasLogin = entry.pass !== undefined || entry.token !== undefined || entry.credHelper !== undefined
      this.entries.set(name, { entry: whole, source: hasLogin ? source : old?.source ?? source })
      const { credHelper, hostname, mirrors, tls, user } = entry
      const told = Object.entries({ name, source, tls, hostname, user, credHelper, mirrors })
      return Effect.andThen(
        Effect.annotateLogs(
          Effect.logDebug("Loading config"),
          Object.fromEntries(told.filter(([, value]) => value !== undefined))
        ),
        Effect.forEach(
          old === undefined ? [] : merged.changes,
          ({ message, ...values }) => Effect.logWarning(message).pipe(Effect.annotateLogs({ ...values, host: name })),
          { discard: true }
        )
      )
    })
  }
  start(name: string): HostEntry {
    return name === "docker.io" ? {} : this.hostDefault
  }
}

const addConfigured = Effect.fnUntraced(function*(draft: Draft, config: RegctlConfig, file: ConfigFile["Service"]) {
  if (config.hosts.size === 0) return
  const source = yield* Effect.orElseSucceed(file.path, () => "")
  for (const [key, entry] of config.hosts) {
    // The Go tool keeps a login under the name as typed, scheme and all.
    const name = key.includes("://") ? namedHost(key)?.name ?? key : key
    if (name === "") yield* warnNameless("hosts")
    else {
      if (entry.api !== undefined) {
        yield* Effect.logWarning("API field of a host is deprecated and ignored").pipe(
          Effect.annotateLogs({ host: name })
        )
      }
      yield* draft.add(name, entry, source, draft.start(name))
    }
  }
})

const addText = Effect.fnUntraced(function*(draft: Draft, text: string) {
  const values = parseKeyValues(text)
  if (values === undefined) {
    yield* Effect.logWarning("unable to parse host string").pipe(
      Effect.annotateLogs({ err: "a quote is left open or a backslash ends it" })
    )
  }
  const tls = values?.get("tls")
  const mode = parseTls(tls ?? "")
  if (tls !== undefined && tls !== "" && mode === undefined) {
    yield* Effect.logWarning("unable to parse tls setting").pipe(
      Effect.annotateLogs({ host: values?.get("reg") ?? "", tls, err: `unknown TLS value ${JSON.stringify(tls)}` })
    )
  }
  const given = values?.get("reg") ?? ""
  const named = namedHost(given)
  if (given === "" || named === undefined) return yield* warnNameless("--host")
  const pass = values?.get("pass") ?? ""
  const user = values?.get("user") ?? ""
  yield* draft.add(
    named.name,
    {
      ...named.entry,
      ...(user === "" ? {} : { user }),
      ...(pass === "" ? {} : { pass: Redacted.make(pass) }),
      ...(mode === undefined ? {} : { tls: mode })
    },
    "--host",
    draft.start(named.name)
  )
})

const warnNameless = (source: string): Effect.Effect<void> =>
  Effect.logWarning("Ignoring registry config without a name").pipe(Effect.annotateLogs({ source }))

/** Bytes that are read of docker's configuration: what it is linked to may never end. */
const maxDocker = 4 * 1024 * 1024

const warnDocker = (file: string, err: string): Effect.Effect<void> =>
  Effect.logWarning("Failed to load docker creds").pipe(Effect.annotateLogs({ file, err }))

const importDocker = (
  file: string,
  text: string,
  mayHavePaths = false
): Effect.Effect<DockerConfig | undefined> =>
  Result.match(decodeDockerConfig(text, mayHavePaths), {
    onFailure: (problem) => Effect.as(warnDocker(file, problem), undefined),
    onSuccess: (docker) =>
      Effect.as(Effect.forEach(docker.warnings, (it) => warnDocker(file, it), { discard: true }), docker)
  })

const sourced = (source: string, docker: DockerConfig | undefined): ReadonlyMap<string, SourcedEntry> =>
  new Map([...docker?.entries ?? []].map(([name, entry]) => [name, { entry, source }]))
