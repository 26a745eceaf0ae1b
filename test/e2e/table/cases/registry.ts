/** `regctl registry …` and `regctl config …`. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { After, Case } from "../case.ts"

/** The configuration file holds just this. */
const stored = (expected: object) => ({ dir, fill }: After) =>
  assert.deepStrictEqual(
    JSON.parse(readFileSync(join(dir, "config.json"), "utf8")),
    JSON.parse(fill(JSON.stringify(expected)))
  )

/** `registry set` writes out what is the default of an entry too (library §4.2). */
const whole = { tls: "enabled", hostname: "registry.example.org", reqConcurrent: 3 }
const host = (entry: object) => ({ hosts: { $HOST: { tls: "disabled", ...entry } } })
const example = (entry: object) => ({ hosts: { "registry.example.org": entry } })
const set = (args: string, entry: object, shows = args.split(/[ =]/)[0] ?? ""): Case => ({
  command: "registry set",
  shows,
  args: `registry set registry.example.org --skip-check ${args}`,
  against: "local",
  config: null,
  check: stored(Object.keys(entry).length === 0 ? {} : example({ ...whole, ...entry }))
})

export const registry: ReadonlyArray<Case> = [
  {
    command: "registry set",
    shows: "--tls",
    args: "registry set --tls disabled $HOST",
    against: "both",
    config: null,
    check: stored(host({ hostname: "$HOST", reqConcurrent: 3 }))
  },
  {
    command: "registry set",
    shows: "--skip-check",
    args: "registry set --skip-check --tls disabled 127.0.0.1:1",
    against: "local",
    config: null,
    check: stored({ hosts: { "127.0.0.1:1": { tls: "disabled", hostname: "127.0.0.1:1", reqConcurrent: 3 } } })
  },
  {
    command: "registry set",
    args: "registry set --tls disabled 127.0.0.1:1",
    against: "local",
    config: null,
    err: /level=WARN msg="Failed to ping registry, configuration still updated".*\n.*127\.0\.0\.1:1/,
    check: stored({ hosts: { "127.0.0.1:1": { tls: "disabled", hostname: "127.0.0.1:1", reqConcurrent: 3 } } })
  },
  set("--api-opts disableHead=true --api-opts a=", { apiOpts: { disableHead: "true" } }),
  set("--blob-chunk 1000 --blob-max -1", { blobChunk: 1000, blobMax: -1 }, "--blob-chunk --blob-max"),
  set("--cacert pem1", { regcert: "pem1" }),
  set("--client-cert pem2 --client-key pem3", { clientCert: "pem2", clientKey: "pem3" }, "--client-cert --client-key"),
  set("--cred-helper docker-credential-x", { credHelper: "docker-credential-x" }),
  set("--hostname other.example.org:5000", { hostname: "other.example.org:5000" }),
  set("--mirror a.example.org --mirror b.example.org", { mirrors: ["a.example.org", "b.example.org"] }),
  set("--path-prefix team", { pathPrefix: "team" }),
  set("--priority 5", { priority: 5 }),
  set("--repo-auth", { repoAuth: true }),
  set("--req-concurrent 7 --req-per-sec 0.5", { reqConcurrent: 7, reqPerSec: 0.5 }, "--req-concurrent --req-per-sec"),
  set("--tls INSECURE", { tls: "insecure" }),
  {
    ...set("--dns a.example.org --scheme http", {}, "--dns --scheme"),
    err: /^time=\S+ level=WARN .*scheme.*\ntime=\S+ level=WARN .*dns.*\n$/,
    code: 0
  },
  {
    command: "registry set",
    shows: "--mirror --priority",
    args: "registry set registry.example.org --skip-check --mirror '' --priority 0",
    against: "local",
    config: example({ mirrors: ["a.example.org"], priority: 3 }),
    check: stored({}),
    differs: "it keeps a mirror without a name"
  },
  {
    command: "registry set",
    shows: "--tls",
    args: "registry set --tls x a.example.org",
    against: "local",
    err: "unknown TLS value \"x\"\n"
  },
  { command: "registry set", args: "registry set a/b", against: "local", err: "invalid registry name provided: a/b\n" },

  {
    command: "registry config",
    args: "registry config $HOST",
    against: "serve",
    config: host({ user: "ada", pass: "lovelace", token: "t", clientKey: "k", repoAuth: true }),
    out: `{
  "tls": "disabled",
  "user": "ada",
  "repoAuth": true
}
`
  },
  {
    command: "registry config",
    args: "registry config",
    against: "local",
    config: example({ tls: "insecure", pass: "lovelace" }),
    out: `{
  "hosts": {
    "registry.example.org": {
      "tls": "insecure"
    }
  }
}
`
  },
  {
    command: "registry config",
    shows: "--format",
    args: "registry config registry.example.org --format '{{.User}} {{.TLS}} {{.Pass}} {{.Hostname}}'",
    against: "local",
    config: example({ user: "ada", pass: "lovelace", tls: "insecure" }),
    out: "ada 2  "
  },
  {
    command: "registry config",
    args: "registry config none.example.org",
    against: "local",
    err: /level=WARN msg="No configuration found for registry"/,
    code: 0
  },

  {
    command: "registry login",
    shows: "--user --pass",
    args: "registry login $HOST --user ada --pass lovelace",
    against: "login",
    config: host({}),
    check: stored(host({ user: "ada", pass: "lovelace" }))
  },
  {
    command: "registry login",
    shows: "-u -p",
    args: "registry login $HOST -u ada -p wrong",
    against: "login",
    config: host({}),
    err: /msg="Failed to ping registry, credentials were still stored".*\n.*unauthorized/,
    check: stored(host({ user: "ada", pass: "wrong" }))
  },
  {
    command: "registry login",
    shows: "--pass-stdin",
    args: "registry login $HOST -u ada --pass-stdin",
    against: "login",
    config: host({}),
    stdin: "lovelace\n",
    check: stored(host({ user: "ada", pass: "lovelace" }))
  },
  {
    command: "registry login",
    shows: "--pass-stdin",
    args: "registry login $HOST --pass-stdin",
    against: "login",
    stdin: "lovelace\n",
    err: "user must be provided to read password from stdin\n"
  },
  {
    command: "registry login",
    shows: "--skip-check",
    args: "registry login --skip-check 127.0.0.1:1 -u <token> -p secret",
    against: "local",
    config: null,
    check: stored({ hosts: { "127.0.0.1:1": { token: "secret" } } })
  },
  {
    command: "registry login",
    args: "registry login --skip-check 127.0.0.1:1 -p secret",
    note: "asks for the name",
    against: "local",
    config: null,
    stdin: "ada\n",
    out: "Enter Username: ",
    check: stored({ hosts: { "127.0.0.1:1": { user: "ada", pass: "secret" } } })
  },
  {
    command: "registry logout",
    args: "registry logout $HOST",
    against: "login",
    config: host({ user: "ada", pass: "lovelace", token: "t" }),
    check: stored(host({}))
  },
  {
    command: "registry logout",
    args: "registry logout none.example.org",
    against: "local",
    config: null,
    err: /level=WARN msg="No configuration\/credentials found"/,
    code: 0,
    differs: "it crashes"
  },
  {
    command: "registry whoami",
    args: "registry whoami $HOST",
    against: "login",
    config: host({ user: "ada", pass: "lovelace" }),
    out: "ada\n"
  },
  {
    command: "registry whoami",
    args: "registry whoami registry.example.org",
    against: "local",
    config: example({ token: "t" }),
    out: "<token>\n"
  },
  {
    command: "registry whoami",
    args: "registry whoami",
    against: "local",
    config: null,
    err: "no login found for docker.io\n"
  },

  {
    command: "config set",
    shows: "--blob-limit --default-cred-helper --docker-cert --docker-cred",
    args:
      "config set --blob-limit 4096 --default-cred-helper docker-credential-x --docker-cert=false --docker-cred=false",
    against: "local",
    config: null,
    check: stored({
      hostDefault: { credHelper: "docker-credential-x" },
      incDockerCert: false,
      incDockerCred: false,
      blobLimit: 4096
    })
  },
  {
    command: "config set",
    shows: "--blob-limit --default-cred-helper --docker-cert --docker-cred",
    args: "config set --blob-limit 0 --default-cred-helper '' --docker-cert --docker-cred",
    against: "local",
    config: {
      hostDefault: { credHelper: "docker-credential-x" },
      incDockerCert: false,
      incDockerCred: false,
      blobLimit: 1
    },
    check: stored({})
  },
  { command: "config get", args: "config get", against: "local", config: null, out: "{}\n" },
  {
    command: "config get",
    args: "config get",
    note: "without secrets",
    against: "local",
    config: { ...example({ user: "ada", pass: "lovelace", token: "t" }), blobLimit: 5 },
    out: `{
  "hosts": {
    "registry.example.org": {
      "user": "ada"
    }
  },
  "blobLimit": 5
}
`
  },
  {
    command: "config get",
    shows: "--format",
    args: "config get --format '{{.Filename}} {{.BlobLimit}} {{.IncDockerCred}}'",
    against: "local",
    config: { incDockerCred: false },
    out: "$DIR/config.json 0 false"
  }
]
