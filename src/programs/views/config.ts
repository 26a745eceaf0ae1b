/** What templates see of regctl's configuration: the file, and one host of it (regctl.md, section 6). */
import { Redacted } from "effect"
import { Float, Struct } from "../../lib/gotemplate/value.ts"
import { hostDocument, type HostEntry } from "../../schemas/HostEntry.ts"
import { configDocument, type RegctlConfig } from "../../schemas/RegctlConfig.ts"

/** How Go prints the modes as a number. */
const modes = { insecure: 2, disabled: 3, enabled: 1 } as const

const bare = (secret: Redacted.Redacted<string> | undefined): string =>
  secret === undefined ? "" : Redacted.value(secret)

/** The entry with the keys of `without` empty. */
export const hostView = (name: string, entry: HostEntry, without: ReadonlySet<string>): Struct => {
  const shown: HostEntry = Object.fromEntries(Object.entries(entry).filter(([key]) => !without.has(key)))
  return new Struct(
    "*config.Host",
    {
      Name: name,
      TLS: shown.tls === undefined ? 0 : modes[shown.tls],
      RegCert: shown.regcert ?? "",
      ClientCert: shown.clientCert ?? "",
      ClientKey: bare(shown.clientKey),
      Hostname: shown.hostname ?? "",
      User: shown.user ?? "",
      Pass: bare(shown.pass),
      Token: bare(shown.token),
      CredHelper: shown.credHelper ?? "",
      CredExpire: Math.round((shown.credExpire ?? 0) * 1e6),
      CredHost: shown.credHost ?? "",
      PathPrefix: shown.pathPrefix ?? "",
      Mirrors: shown.mirrors ?? [],
      Priority: shown.priority ?? 0,
      RepoAuth: shown.repoAuth ?? false,
      API: shown.api ?? "",
      APIOpts: new Map(Object.entries(shown.apiOpts ?? {})),
      BlobChunk: shown.blobChunk ?? 0,
      BlobMax: shown.blobMax ?? 0,
      ReqPerSec: new Float(shown.reqPerSec ?? 0),
      ReqConcurrent: shown.reqConcurrent ?? 0,
      Scheme: shown.scheme ?? "",
      TrustedRealms: shown.trustedRealms ?? []
    },
    { json: () => JSON.stringify(hostDocument(entry, without)) }
  )
}

/** The file's content with the keys of `without` empty in every host. */
export const configView = (file: string, config: RegctlConfig, without: ReadonlySet<string>): Struct =>
  new Struct(
    "*main.Config",
    {
      Filename: file,
      Version: config.version,
      Hosts: new Map([...config.hosts].map(([name, entry]) => [name, hostView(name, entry, without)])),
      HostDefault: config.hostDefault === undefined ? undefined : hostView("", config.hostDefault, without),
      BlobLimit: config.blobLimit,
      IncDockerCert: config.incDockerCert,
      IncDockerCred: config.incDockerCred
    },
    { json: () => JSON.stringify(configDocument(config, without)) }
  )
