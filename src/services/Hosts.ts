/** The settings of registries, merged from every source that has some. */
import { Cache, Context, Effect, FileSystem, Layer, Path } from "effect"
import type { Host } from "../schemas/Host.ts"
import { namedHost, toHost } from "../schemas/HostEntry.ts"
import { HostEntries } from "./HostEntries.ts"

/** Where docker and podman keep certificates: `<directory>/<hostname>/*.crt`. */
export const CertificateDirectories = Context.Reference<ReadonlyArray<string>>(
  "regclient/services/CertificateDirectories",
  { defaultValue: () => ["/etc/docker/certs.d", "/etc/containers/certs.d"] }
)

/** Hosts remembered at once; names come from redirects and challenges too. */
const capacity = 10_000

export class Hosts extends Context.Service<Hosts, {
  readonly get: (name: string) => Effect.Effect<Host>
  /** The host and its mirrors: where a read may go, by priority, the host last among equals. */
  readonly readOrder: (name: string) => Effect.Effect<ReadonlyArray<Host>>
}>()("regclient/services/Hosts") {
  static readonly layer = Layer.effect(
    Hosts,
    Effect.gen(function*() {
      const { merged } = yield* HostEntries
      const fs = yield* FileSystem.FileSystem
      const paths = yield* Path.Path

      const certificatesOf = Effect.fnUntraced(function*(hostname: string, directory: string) {
        const own = paths.join(directory, hostname)
        // A host without a directory of its own is the rule.
        const names = yield* Effect.orElseSucceed(fs.readDirectory(own), () => [])
        return yield* Effect.forEach(
          names.filter((name) => name.endsWith(".crt")).sort(),
          (name) => fs.readFileString(paths.join(own, name))
        )
      })

      const docker = Effect.fnUntraced(function*(hostname: string) {
        if (!/^[A-Za-z0-9_[\]][A-Za-z0-9._:[\]-]*$/.test(hostname)) return []
        const found = yield* Effect.forEach(yield* CertificateDirectories, (it) => certificatesOf(hostname, it))
        return found.flat()
      })

      const look = Effect.fnUntraced(function*(given: string) {
        const { blobLimit, entries, hostDefault, incDockerCert, lastResort } = yield* merged
        const name = namedHost(given)?.name ?? given
        const known = entries.get(name)
        const host = toHost(
          known === undefined ? given : name,
          known?.entry ?? (name === "docker.io" ? {} : hostDefault),
          known !== undefined
        )
        const certificates = !incDockerCert || host.tls !== "enabled" ? [] : yield* docker(host.hostname).pipe(
          Effect.catch(({ message }) =>
            Effect.as(
              Effect.logWarning("failed to setup CA pool").pipe(Effect.annotateLogs({ host: host.name, err: message })),
              []
            )
          )
        )
        return {
          ...host,
          // Logins for parts of a registry: each repository may have another.
          repoAuth: host.repoAuth || [...lastResort.keys()].some((it) => it.startsWith(`${host.name}/`)),
          certificates: [...certificates, ...host.certificates],
          ...(blobLimit === 0 ? {} : { blobLimit })
        }
      })

      const hosts = yield* Cache.make({ lookup: look, capacity })
      const get = (name: string) => Cache.get(hosts, name)

      const readOrder = Effect.fnUntraced(function*(name: string) {
        const upstream = yield* get(name)
        if (upstream.mirrors.length === 0) return [upstream]
        const mirrors = yield* Effect.forEach(upstream.mirrors, get)
        const unique = new Map([...mirrors, upstream].map((host) => [host.name, host]))
        unique.delete(upstream.name)
        return [...unique.values(), upstream].sort((a, b) => a.priority - b.priority)
      })

      return Hosts.of({ get, readOrder })
    })
  )
}
