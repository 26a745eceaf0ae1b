import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as set from "../../../src/programs/registry/set.ts"
import { inWorld, type Seen, shows, type World } from "./world.ts"

describe("registry set", () => {
  const values: Omit<set.Input, "given" | "args"> = {
    apiOpts: ["a=b", "c", "x=y=z"],
    blobChunk: 5,
    blobMax: -1,
    cacert: "CA",
    clientCert: "CC",
    clientKey: "CK",
    credHelper: "docker-credential-x",
    hostname: "hh:1",
    mirror: ["m1", "m2"],
    pathPrefix: "/pp/",
    priority: 3,
    repoAuth: true,
    reqConcurrent: 9,
    reqPerSec: 2.5,
    skipCheck: true,
    tls: "INSECURE",
    dns: ["d1", "d2"],
    scheme: "http"
  }
  const all = [
    "api-opts",
    "blob-chunk",
    "blob-max",
    "cacert",
    "client-cert",
    "client-key",
    "cred-helper",
    "hostname",
    "mirror",
    "path-prefix",
    "priority",
    "repo-auth",
    "req-concurrent",
    "req-per-sec",
    "tls"
  ]
  const whole = {
    tls: "insecure",
    regcert: "CA",
    clientCert: "CC",
    clientKey: "CK",
    hostname: "hh:1",
    credHelper: "docker-credential-x",
    credHost: "http://r.io:5000",
    pathPrefix: "/pp/",
    mirrors: ["m1", "m2"],
    priority: 3,
    repoAuth: true,
    apiOpts: { a: "b", x: "y=z" },
    blobChunk: 5,
    blobMax: -1,
    reqPerSec: 2.5,
    reqConcurrent: 9
  }
  type Case = readonly [string, World, ReadonlyArray<string>, Partial<set.Input>, Partial<Seen>]
  const table: ReadonlyArray<Case> = [
    ["writes all it is given for a new registry", {}, all, { args: ["http://r.io:5000"] }, {
      config: { hosts: { "r.io:5000": whole } }
    }],
    ["writes the usual settings beside the one given", {}, ["priority"], {}, {
      config: { hosts: { "a.io": { tls: "enabled", hostname: "a.io", priority: 3, reqConcurrent: 3 } } }
    }],
    ["knows the settings of Docker Hub", {}, ["req-per-sec"], { args: ["index.docker.io"] }, {
      config: {
        hosts: {
          "docker.io": {
            tls: "enabled",
            hostname: "registry-1.docker.io",
            credHost: "https://index.docker.io/v1/",
            reqPerSec: 2.5,
            reqConcurrent: 3
          }
        }
      }
    }],
    ["changes nothing else of an entry", { config: { hosts: { "a.io": { user: "u", pass: "p" } } } }, ["tls"], {}, {
      config: { hosts: { "a.io": { tls: "insecure", user: "u", pass: "p" } } }
    }],
    ["removes what is set to nothing", { config: { hosts: { "a.io": whole } } }, [
      "mirror",
      "path-prefix",
      "priority",
      "req-concurrent",
      "api-opts",
      "cred-helper",
      "client-key"
    ], {
      mirror: [""],
      pathPrefix: "",
      priority: 0,
      reqConcurrent: 0,
      apiOpts: ["a=", "x"],
      credHelper: "",
      clientKey: ""
    }, {
      config: {
        hosts: {
          "a.io": {
            tls: "insecure",
            regcert: "CA",
            clientCert: "CC",
            hostname: "hh:1",
            credHost: "http://r.io:5000",
            repoAuth: true,
            blobChunk: 5,
            blobMax: -1,
            reqPerSec: 2.5
          }
        }
      }
    }],
    ["forgets an entry that says nothing", { config: { hosts: { "a.io": { tls: "disabled" } } } }, ["tls"], {
      tls: "enabled"
    }, { config: {} }],
    ["tries the registry", {}, ["tls"], { skipCheck: false }, { pinged: ["a.io"], failure: "" }],
    ["keeps settings that do not work", { pingFails: true }, ["priority"], { skipCheck: false }, {
      logs: ["Warn Failed to ping registry, configuration still updated {}"],
      failure: "failed to ping registry a.io: unauthorized [http 401]"
    }],
    ["warns of flags without effect", {}, ["dns", "scheme"], {}, {
      config: {},
      logs: [
        "Warn Scheme flag is deprecated, for http set tls to disabled {\"name\":\"a.io\",\"scheme\":\"http\"}",
        "Warn DNS flag is deprecated, use hostname and mirrors instead {\"name\":\"a.io\",\"dns\":\"[d1 d2]\"}"
      ]
    }],
    ["refuses an unknown TLS mode", {}, ["tls"], { tls: "foo" }, { failure: "unknown TLS value \"foo\"", config: {} }],
    ["refuses a negative number", {}, ["blob-chunk"], { blobChunk: -5 }, {
      failure: "blob-chunk must be at least 0: -5",
      config: {}
    }],
    ["refuses a name with a path", {}, ["tls"], { args: ["a.io/x"] }, {
      failure: "invalid registry name provided: a.io/x"
    }]
  ]
  for (const [what, world, given, flags, expected] of table) {
    it.effect(what, () =>
      Effect.map(
        inWorld(world, set.run({ ...values, args: ["a.io"], ...flags, given: new Set(given) })),
        (it) => shows(it, expected)
      ))
  }
})
