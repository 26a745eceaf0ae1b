/**
 * What docker and podman know of logins: `auths`, `credHelpers` and `credsStore` of their JSON files, as host entries
 * (library description, section 5; oci-protocol.md, section 9.6).
 */
import { Option, Redacted, Result, Schema } from "effect"
import { positionedJson } from "../lib/positionedJson.ts"
import { compact, type HostEntry, mergeEntry, namedHost } from "./HostEntry.ts"

export interface DockerConfig {
  readonly entries: ReadonlyMap<string, HostEntry>
  /** The program that knows logins of any host. */
  readonly credsStore?: string
  /** What was left out and why; values of the file are never in it. */
  readonly warnings: ReadonlyArray<string>
}

const AuthEntry = Schema.Struct({
  auth: Schema.optionalKey(Schema.String),
  username: Schema.optionalKey(Schema.String),
  password: Schema.optionalKey(Schema.String),
  identitytoken: Schema.optionalKey(Schema.String)
})
const decodeAuth = Schema.decodeUnknownOption(AuthEntry)

const Sections = Schema.Struct({
  auths: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown))),
  credHelpers: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown))),
  credsStore: Schema.optionalKey(Schema.NullOr(Schema.String))
})
const decodeSections = Schema.decodeUnknownOption(Sections)

/**
 * Reads the text of a file; the failure says why it is none and quotes no value. One bad entry drops no other (faults
 * A06). `mayHavePaths`: logins for a part of a registry, as podman has them, stand under `host/path`.
 */
export const decodeDockerConfig = (text: string, mayHavePaths = false): Result.Result<DockerConfig, string> => {
  const source = text.replace(/^\uFEFF/, "")
  if (source.trim() === "") return Result.succeed({ entries: new Map(), warnings: [] })
  const parsed = positionedJson(source)
  if ("problem" in parsed) {
    return Result.fail(`[${parsed.place.line}:${parsed.place.column}] ${parsed.problem}`)
  }
  return Option.match(decodeSections(parsed.value), {
    onNone: () => Result.fail("auths and credHelpers must be objects, credsStore a text"),
    onSome: (sections) => Result.succeed(importSections(sections, mayHavePaths))
  })
}

const importSections = (
  { auths, credHelpers, credsStore }: typeof Sections.Type,
  mayHavePaths: boolean
): DockerConfig => {
  const entries = new Map<string, HostEntry>()
  const warnings: Array<string> = []
  const add = (
    section: string,
    given: Readonly<Record<string, unknown>>,
    read: (it: unknown) => HostEntry | string
  ) => {
    for (const [key, it] of Object.entries(given)) {
      const named = namedHost(key) ?? (mayHavePaths ? namedPart(key) : undefined)
      if (named === undefined && isTokenKey(key)) continue
      const found = named === undefined ? "its name is no host" : read(it)
      if (typeof found === "string") warnings.push(`${section} ${JSON.stringify(key)} is left out: ${found}`)
      else if (named !== undefined && Object.keys(found).length > 0) {
        const old = entries.get(named.name) ?? {}
        entries.set(named.name, mergeEntry(old, { ...named.entry, ...keptLogin(old, found) }).entry)
      }
    }
  }
  add("auths", auths ?? {}, loginOf)
  add("credHelpers", credHelpers ?? {}, (it) => {
    const program = typeof it === "string" ? helperProgram(it) : undefined
    return program === undefined ? "the helper's name is not usable" : { credHelper: program }
  })
  const store = helperProgram(credsStore ?? "")
  if (store === undefined && (credsStore ?? "") !== "") warnings.push("credsStore is left out: its name is not usable")
  return { entries, warnings, ...(store === undefined ? {} : { credsStore: store }) }
}

/** The name of a part of a registry: `host/path`. */
const namedPart = (key: string) => {
  const slash = key.indexOf("/")
  const path = key.slice(slash + 1)
  const host = slash < 0 ? undefined : namedHost(key.slice(0, slash))
  return host === undefined || !/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/.test(path)
    ? undefined
    : { name: `${host.name}/${path}`, entry: {} }
}

/** A helper beside a login of the same host adds to it; `mergeEntry` alone would take it for a replacement. */
const keptLogin = (old: HostEntry, found: HostEntry): HostEntry =>
  found.credHelper === undefined ? found : compact({
    ...found,
    ...(old.user === undefined ? {} : { user: old.user }),
    ...(old.pass === undefined ? {} : { pass: old.pass }),
    ...(old.token === undefined ? {} : { token: old.token })
  })

/** Docker Desktop keeps its own tokens beside the login of Docker Hub; they are no hosts and no mistake. */
const isTokenKey = (key: string): boolean => /^https:\/\/index\.docker\.io\/v1\/(?:access|refresh)-token$/.test(key)

/** `docker-credential-NAME`; `undefined` for a name that would leave the search path (faults A04). */
const helperProgram = (name: string): string | undefined =>
  /^[A-Za-z0-9._-]+$/.test(name) && !name.includes("..") ? `docker-credential-${name}` : undefined

/** The login of an entry, nothing for an empty one, or why it cannot be read. */
const loginOf = (given: unknown): HostEntry | string => {
  const entry = Option.getOrUndefined(decodeAuth(given ?? {}))
  if (entry === undefined) return "it is not an object of texts"
  const pair = entry.auth === undefined || entry.auth === ""
    ? [entry.username ?? "", entry.password ?? ""] as const
    : pairOf(entry.auth)
  if (typeof pair === "string") return pair
  const [user, password] = pair
  if (entry.identitytoken !== undefined && entry.identitytoken !== "") {
    return compact({ user, token: Redacted.make(entry.identitytoken) })
  }
  return user === "" || password === "" ? {} : { user, pass: Redacted.make(password) }
}

const utf8 = Schema.decodeUnknownOption(Schema.Uint8ArrayFromBase64)

const pairOf = (auth: string): readonly [string, string] | string => {
  const bytes = Option.getOrUndefined(utf8(auth))
  if (bytes === undefined) return "its auth is not base64"
  const text = Option.getOrUndefined(textOf(bytes))
  if (text === undefined) return "its auth is not UTF-8 text"
  const colon = text.indexOf(":")
  return colon < 0 ? "its auth has no colon" : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, "")]
}

const textOf = Option.liftThrowable((bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes))
