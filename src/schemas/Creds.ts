/** The `creds` of regsync's and regbot's files: settings of registries in YAML (regsync description, 4.2). */
import { Redacted } from "effect"
import type { YamlNode } from "../lib/yaml.ts"
import { compact, type HostEntry, hostKeys, parseTls } from "./HostEntry.ts"
import type { SettingsReader } from "./settings.ts"

/** An entry as written: templates in it are not expanded yet. */
export interface Creds {
  readonly registry: string
  readonly entry: HostEntry
  /** Where it stands in the file. */
  readonly line: number
  readonly column: number
}

const timeoutKeys = ["connect", "headers", "commit", "stall"]

export const readCreds = (reader: SettingsReader) => (node: YamlNode, path: string): Creds => {
  const { at, path: inside } = reader.members(node, path, ["registry", ...hostKeys])
  const text = (key: string) => reader.text(at(key), inside(key))
  const secret = (key: string) => Redacted.make(text(key))
  const atLeast = (least: number, read: SettingsReader["integer"]) => (key: string) => {
    const value = read(at(key), inside(key))
    const found = at(key)
    if (value < least && found !== undefined) {
      reader.refuse(found, inside(key), `expected a number of at least ${least}`)
    }
    return value
  }
  const count = atLeast(0, reader.integer)
  const timeouts = reader.members(at("timeouts"), inside("timeouts"), timeoutKeys)
  const given = timeoutKeys.filter((key) => timeouts.at(key) !== undefined)
  const repoAuth = reader.boolean(at("repoAuth"), inside("repoAuth"))
  const tls = tlsOf(reader, at("tls"), inside("tls"))
  const entry: HostEntry = {
    ...(tls === undefined ? {} : { tls }),
    regcert: text("regcert"),
    clientCert: text("clientCert"),
    clientKey: secret("clientKey"),
    hostname: text("hostname"),
    user: text("user"),
    pass: secret("pass"),
    token: secret("token"),
    credHelper: text("credHelper"),
    credExpire: expiry(reader, at("credExpire"), inside("credExpire")),
    credHost: text("credHost"),
    pathPrefix: text("pathPrefix"),
    mirrors: reader.texts(at("mirrors"), inside("mirrors")),
    priority: count("priority"),
    ...(repoAuth === undefined ? {} : { repoAuth }),
    api: text("api"),
    apiOpts: reader.textMap(at("apiOpts"), inside("apiOpts")),
    blobChunk: count("blobChunk"),
    blobMax: atLeast(-1, reader.integer)("blobMax"),
    reqPerSec: atLeast(0, reader.decimal)("reqPerSec"),
    reqConcurrent: count("reqConcurrent"),
    scheme: text("scheme"),
    trustedRealms: reader.texts(at("trustedRealms"), inside("trustedRealms")),
    timeouts: Object.fromEntries(given.map((key) => [key, reader.duration(timeouts.at(key), timeouts.path(key))]))
  }
  return { registry: text("registry"), entry: compact(entry), line: node.line, column: node.column }
}

const tlsOf = (reader: SettingsReader, node: YamlNode | undefined, path: string) => {
  const text = reader.text(node, path)
  const mode = parseTls(text)
  if (text !== "" && mode === undefined && node !== undefined) {
    reader.refuse(node, path, `unknown TLS value ${JSON.stringify(text)}`)
  }
  return mode
}

/** A duration's text, or nanoseconds as the Go tools want them; milliseconds. */
const expiry = (reader: SettingsReader, node: YamlNode | undefined, path: string): number =>
  node?.kind === "scalar" && !node.isQuoted && typeof node.value === "number"
    ? reader.count(node, path) / 1e6
    : reader.duration(node, path)
