/** Which queries may be shown: any parameter that is none of the protocol's own may be a signature. */

/** Parameters of registry and token requests whose values are no secret. */
const harmless: ReadonlySet<string> = new Set([
  "account",
  "artifactType",
  "client_id",
  "digest",
  "digest-algorithm",
  "from",
  "last",
  "mount",
  "n",
  "ns",
  "scope",
  "service",
  "tag"
])

/** True where there is no query, too. */
export const isQueryHarmless = (url: URL): boolean =>
  url.search === "" || [...url.searchParams.keys()].every((name) => harmless.has(name))
