/**
 * TLS: which certificates are trusted, and the handshake (library description, section 7; TLS 1.2 at least). Touches
 * the platform: node:tls and node:crypto, loaded when the first https request is made.
 */
import { Effect } from "effect"
import type * as Crypto from "node:crypto"
import type { Socket, TcpNetConnectOpts } from "node:net"
import type * as Tls from "node:tls"
import type { SecureContext, TLSSocket } from "node:tls"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { TlsSettings } from "../Transport.ts"
import { codeOf, connectFailed, tlsFailed } from "./failures.ts"

/** What a handshake needs for one TLS setting; kept for as long as the transport lives. */
export interface Trust {
  readonly settings: TlsSettings
  readonly certificates: ReadonlyArray<string>
  readonly identity: { readonly cert?: string; readonly key?: string }
  context: SecureContext
  /** The system's store was loaded: slow, and rarely needed by public registries. */
  isWide: boolean
  readonly sessions: Map<string, Buffer>
}

const keptSessions = 100

/** The same for settings that give the same connection. */
export const trustKey = ({ certificates, clientCert = "", clientKey = "", mode }: TlsSettings): string =>
  certificates.length === 0 && clientCert === "" ? mode : [mode, clientCert, clientKey, ...certificates].join("\0")

/** Settings made ready. Certificates that are none are warned about and left out, as is a client pair that is none. */
export const prepareTrust = Effect.fnUntraced(function*(settings: TlsSettings, host: string) {
  const { tls, crypto } = yield* Effect.promise(load)
  const split = settings.certificates.map((pem) => certificatesIn(crypto, pem))
  const certificates = split.every((it) => it !== undefined) ? split.flat() : []
  if (split.includes(undefined)) {
    yield* Effect.logWarning("failed to setup CA pool").pipe(
      Effect.annotateLogs({ host, error: "invalid certificate" })
    )
  }
  const identity = identityIn(tls, settings)
  if (identity === undefined) {
    yield* Effect.logWarning("failed to configure client certificate").pipe(
      Effect.annotateLogs({ host, error: "certificate and key are no valid pair" })
    )
  }
  const trust: Trust = {
    settings,
    certificates,
    identity: identity ?? {},
    context: contextOf(tls, certificates, identity ?? {}),
    isWide: false,
    sessions: new Map()
  }
  return trust
})

const load = async () => ({ tls: await import("node:tls"), crypto: await import("node:crypto") })

/** The certificates of a PEM text, or `undefined` when one of them is broken or there is none. */
const certificatesIn = (crypto: typeof Crypto, pem: string): ReadonlyArray<string> | undefined => {
  const found = pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g)
  if (found === null) return undefined
  try {
    return found.map((one) => new crypto.X509Certificate(one).toString())
  } catch {
    return undefined
  }
}

const identityIn = (tls: typeof Tls, { clientCert, clientKey }: TlsSettings): Trust["identity"] | undefined => {
  if (clientCert === undefined || clientKey === undefined || clientCert === "" || clientKey === "") return {}
  try {
    const identity = { cert: clientCert, key: clientKey }
    tls.createSecureContext(identity)
    return identity
  } catch {
    return undefined
  }
}

const contextOf = (tls: typeof Tls, ca: ReadonlyArray<string>, identity: Trust["identity"]): SecureContext =>
  tls.createSecureContext({ ...identity, ...(ca.length === 0 ? {} : { ca: [...ca] }), minVersion: "TLSv1.2" })

const unknownIssuer: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
])

/**
 * Trusts Node's own, the system's and the given certificates after one of them was missed; false when that was so
 * already. The first handshakes do without: loading the system's store costs as much as a small request.
 */
export const widenTrust = Effect.fnUntraced(function*(trust: Trust, error: StoreError) {
  if (trust.isWide || !unknownIssuer.has(codeOf(error.cause))) return false
  const { tls } = yield* Effect.promise(load)
  const all = new Set([
    ...tls.getCACertificates("default"),
    ...tls.getCACertificates("system"),
    ...trust.certificates
  ])
  trust.context = contextOf(tls, [...all], trust.identity)
  trust.isWide = true
  return true
})

/** TLS on a connection that stands, or on one to be made. Interruption leaves the socket to its owner. */
export const handshake = Effect.fnUntraced(
  function*(
    over: { readonly socket: Socket } | TcpNetConnectOpts,
    hostname: string,
    address: string,
    trust: Trust,
    operation: string,
    opened: Array<Socket>
  ) {
    const { tls } = yield* Effect.promise(load)
    return yield* Effect.callback<TLSSocket, StoreError>((resume) => {
      const session = trust.sessions.get(address)
      let isConnected = "socket" in over
      const secured = tls.connect({
        host: hostname,
        ...over,
        ...(/^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname }),
        secureContext: trust.context,
        rejectUnauthorized: trust.settings.mode !== "insecure",
        ALPNProtocols: ["http/1.1"],
        ...(session === undefined ? {} : { session })
      })
      opened.push(secured)
      secured.once("connect", () => isConnected = true)
      secured.once("secureConnect", () => resume(Effect.succeed(secured)))
      secured.on("error", (error) => {
        trust.sessions.delete(address)
        resume(Effect.fail((isConnected ? tlsFailed : connectFailed)(operation, address, error)))
      })
      secured.on("session", (fresh) => {
        if (trust.sessions.size >= keptSessions) trust.sessions.clear()
        trust.sessions.set(address, fresh)
      })
    })
  }
)
