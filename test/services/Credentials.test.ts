import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { Credentials } from "../../src/services/Credentials.ts"
import { auth, host, type Setting, within } from "./configured.ts"

/** `user:password (source's last word)`, or `token …`. */
const login = Effect.fnUntraced(function*(name: string) {
  const found = Option.getOrUndefined(yield* (yield* Credentials).get(yield* host(name)))
  if (found === undefined) return "nobody"
  const source = found.source.replace(/.*\/(?=[^/]*\/)/, "")
  return found.identityToken === undefined
    ? `${found.username}:${Redacted.value(found.password)} (${source})`
    : `token ${Redacted.value(found.identityToken)} (${source})`
})

describe("Credentials", () => {
  const a = "a.io"
  const table: ReadonlyArray<readonly [string, Setting, string]> = [
    ["nobody without configuration", {}, "nobody"],
    ["regctl's own login", { regctl: { hosts: { [a]: { user: "u", pass: "p" } } } }, "u:p (.regctl/config.json)"],
    ["a token alone", { regctl: { hosts: { [a]: { token: "t" } } } }, "token t (.regctl/config.json)"],
    ["nobody for a user without password", { regctl: { hosts: { [a]: { user: "u" } } } }, "nobody"],
    ["docker's login", { docker: { auths: { [a]: auth("u:p") } } }, "u:p (.docker/config.json)"],
    ["docker's inline login", { inline: { auths: { [a]: auth("u:p") } } }, "u:p (DOCKER_AUTH_CONFIG)"],
    [
      "the inline login over the file's",
      { docker: { auths: { [a]: auth("u:p") } }, inline: { auths: { [a]: auth("v:q") } } },
      "v:q (DOCKER_AUTH_CONFIG)"
    ],
    [
      "regctl's login over docker's",
      { regctl: { hosts: { [a]: { user: "u", pass: "p" } } }, docker: { auths: { [a]: auth("v:q") } } },
      "u:p (.regctl/config.json)"
    ],
    [
      "the login of --host over all",
      { regctl: { hosts: { [a]: { user: "u", pass: "p" } } }, hosts: [`reg=${a},user=v,pass="q,r"`] },
      "v:q,r (--host)"
    ],
    [
      "docker's login for a host that regctl only describes",
      { regctl: { hosts: { [a]: { tls: "disabled" } } }, docker: { auths: { [a]: auth("u:p") } } },
      "u:p (.docker/config.json)"
    ],
    [
      "nobody when docker's logins are switched off",
      {
        regctl: { incDockerCred: false },
        docker: { auths: { [a]: auth("u:p") } },
        containers: { auths: { [a]: auth("u:p") } }
      },
      "nobody"
    ],
    [
      "a helper's answer over the login beside it",
      {
        docker: { auths: { [a]: auth("u:p") }, credHelpers: { [a]: "x" } },
        helpers: { "docker-credential-x": ["h", "s"] }
      },
      "h:s (docker-credential-x)"
    ],
    [
      "the login beside a helper that has none",
      { docker: { auths: { [a]: auth("u:p") }, credHelpers: { [a]: "x" } } },
      "u:p (.docker/config.json)"
    ],
    [
      "the helper of all hosts",
      { regctl: { hostDefault: { credHelper: "mine" } }, helpers: { mine: ["h", "s"] } },
      "h:s (mine)"
    ],
    [
      "docker's store for a host nobody else knows",
      { docker: { auths: { [a]: {} }, credsStore: "desktop" }, helpers: { "docker-credential-desktop": ["h", "s"] } },
      "h:s (docker-credential-desktop)"
    ],
    [
      "docker's login over its store",
      { docker: { auths: { [a]: auth("u:p") }, credsStore: "d" }, helpers: { "docker-credential-d": ["h", "s"] } },
      "u:p (.docker/config.json)"
    ],
    ["podman's login last", { containers: { auths: { [a]: auth("u:p") } } }, "u:p (containers/auth.json)"],
    [
      "docker's login over podman's",
      { docker: { auths: { [a]: auth("v:q") } }, containers: { auths: { [a]: auth("u:p") } } },
      "v:q (.docker/config.json)"
    ],
    [
      "a login kept under a name with its scheme",
      { regctl: { hosts: { "http://a.io": { user: "u", pass: "p" } } } },
      "u:p (.regctl/config.json)"
    ],
    ["nobody for a look-alike", { docker: { auths: { "b.a.io": auth("u:p"), "a.io:443": auth("u:p") } } }, "nobody"]
  ]
  for (const [what, setting, expected] of table) {
    it.effect(`gives ${what}`, () =>
      within(setting, () => Effect.map(login(a), (it) => assert.strictEqual(it, expected))))
  }

  it.effect("knows Docker Hub by all its names", () =>
    within({ docker: { auths: { "https://index.docker.io/v1/": auth("u:p") } } }, () =>
      Effect.gen(function*() {
        for (const name of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
          assert.strictEqual(yield* login(name), "u:p (.docker/config.json)")
        }
      })))

  it.effect("passes over podman's logins for a part of a registry", () =>
    within(
      { containers: { auths: { "a.io/team": auth("t:p"), "a.io": auth("u:p") } } },
      (_, warnings) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* login("a.io"), "u:p (containers/auth.json)")
          assert.deepStrictEqual(warnings, [])
        })
    ))

  it.effect("goes on with the other source when one is broken", () =>
    within(
      { regctl: "{", docker: "[", inline: { auths: { "a.io": auth("u:p") } } },
      (_, warnings) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* login("a.io"), "u:p (DOCKER_AUTH_CONFIG)")
          assert.strictEqual(yield* login("b.io"), "nobody")
          assert.deepStrictEqual(warnings, ["Failed to load default config", "Failed to load docker creds"])
        })
    ))
})
