/** The settings of one registry, as configured and with defaults applied (`docs`: registry configuration). */

export type Tls = "enabled" | "insecure" | "disabled"

export interface Host {
  /** The name in references. */
  readonly name: string
  /** host[:port] to connect to. */
  readonly hostname: string
  readonly tls: Tls
  /** Extra trusted certificates, PEM: `regcert` of the configuration and docker's `certs.d`. */
  readonly certificates: ReadonlyArray<string>
  /** PEM; used only when both are there. */
  readonly clientCert?: string
  readonly clientKey?: string
  /** Prepended to every repository path on this host; no slashes at its ends. */
  readonly pathPrefix: string
  /** Names of other hosts to try for reads. */
  readonly mirrors: ReadonlyArray<string>
  /** Lower goes first among an upstream and its mirrors. */
  readonly priority: number
  /** A separate login for each repository. */
  readonly repoAuth: boolean
  readonly apiOpts: Readonly<Record<string, string>>
  /** Bytes of a chunk in a chunked upload. */
  readonly blobChunk: number
  /** Bytes above which a blob is sent in chunks; -1 for never by size. */
  readonly blobMax: number
  /** Bytes up to which a registry may ask for larger chunks. */
  readonly blobLimit: number
  /** 0 for no limit. */
  readonly reqPerSec: number
  /** Absent when not configured: the limiter's own numbers hold. */
  readonly reqConcurrent?: number
  /** The name given to a credential helper or looked up in docker's configuration. */
  readonly credHost: string
  readonly credHelper?: string
  /** Milliseconds a helper's answer is kept. */
  readonly credExpire: number
  /** Realms of token services that may be asked although they are elsewhere (faults N31). */
  readonly trustedRealms: ReadonlyArray<string>
  /** Has an entry of its own in some configuration, so that redirects to it are wanted. */
  readonly isConfigured: boolean
  /** Milliseconds; 0 for none (faults, time). */
  readonly timeouts: Timeouts
}

export interface Timeouts {
  readonly connect: number
  readonly headers: number
  readonly commit: number
  readonly stall: number
}

export const defaultTimeouts: Timeouts = { connect: 30_000, headers: 60_000, commit: 300_000, stall: 60_000 }

/** Docker Hub's names, which all mean `docker.io`. */
const hubNames: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "https://index.docker.io/v1/"
])

/** The host a name means when nothing is configured for it (library description, section 4.3). */
export const defaultHost = (given: string): Host => {
  const base = {
    tls: "enabled",
    certificates: [],
    pathPrefix: "",
    mirrors: [],
    priority: 0,
    repoAuth: false,
    apiOpts: {},
    blobChunk: 1024 * 1024,
    blobMax: -1,
    blobLimit: 1024 * 1024 * 1024,
    reqPerSec: 0,
    credExpire: 3_600_000,
    trustedRealms: [],
    isConfigured: false,
    timeouts: defaultTimeouts
  } as const
  if (hubNames.has(given)) {
    return {
      ...base,
      name: "docker.io",
      hostname: "registry-1.docker.io",
      credHost: "https://index.docker.io/v1/",
      trustedRealms: ["https://auth.docker.io"]
    }
  }
  const name = given.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "")
  return { ...base, tls: given.startsWith("http://") ? "disabled" : "enabled", name, hostname: name, credHost: given }
}
