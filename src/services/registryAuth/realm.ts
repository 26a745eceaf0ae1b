/** Where a token may be asked for: the realm of a challenge, held against the registry that named it (faults N31). */
import { Result } from "effect"

/**
 * The URL of a token service. An https registry may name any https realm, and its own host over http, which is tried as
 * https; an http registry only its own host, on any port; `trusted` origins or URL prefixes widen both. Fails with the
 * text of the refusal.
 */
export const realmUrl = (
  realm: string,
  registry: URL,
  trusted: ReadonlyArray<string>
): Result.Result<URL, string> => {
  const url = URL.canParse(realm, registry.href) ? new URL(realm, registry.href) : undefined
  if (url === undefined || realm === "")
    return Result.fail(`redirect to a broken realm not allowed (${realm.slice(0, 200)})`)
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  const refuse = (what: string) => Result.fail(`redirect to a realm ${what} not allowed (${shown})`)
  if (url.protocol !== "https:" && url.protocol !== "http:") return refuse("that is no web address is")
  if (url.username !== "" || url.password !== "") return refuse("with user information is")
  if (url.hash !== "") return refuse("with a fragment is")
  if (isTrusted(url, trusted)) return Result.succeed(url)
  const isSameHost = url.hostname === registry.hostname
  if (registry.protocol === "http:")
    return isSameHost
      ? Result.succeed(url)
      : refuse("elsewhere, named without encryption, is")
  if (url.protocol === "https:") return Result.succeed(url)
  if (!isSameHost) return refuse("without encryption is")
  url.protocol = "https:"
  return Result.succeed(url)
}

/** A trusted realm is a URL, of which path and what follows are a prefix, or a bare host, meant with https. */
export const isTrusted = (url: URL, trusted: ReadonlyArray<string>): boolean =>
  trusted.some((text) => {
    const full = text.includes("://") ? text : `https://${text}`
    if (!URL.canParse(full)) return false
    const { origin, pathname } = new URL(full)
    const prefix = pathname.replace(/\/$/, "")
    return origin === url.origin && (url.pathname === prefix || url.pathname.startsWith(`${prefix}/`))
  })
