import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as config from "../../../src/programs/registry/config.ts"
import * as login from "../../../src/programs/registry/login.ts"
import * as logout from "../../../src/programs/registry/logout.ts"
import * as set from "../../../src/programs/registry/set.ts"
import * as whoami from "../../../src/programs/registry/whoami.ts"
import { inWorld, type Seen, type World } from "./world.ts"

/** The parts of what was seen that a case names. */
const shows = (seen: Seen, expected: Partial<Seen>) => {
  const parts: Readonly<Record<string, unknown>> = { ...seen }
  assert.deepStrictEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, parts[key]])), expected)
}

describe("registry login", () => {
  const noFlags: login.Input = { user: "", pass: "", passStdin: false, skipCheck: false, args: ["a.io"] }
  const typed = (text: string) => [...text].map((letter) => ({ text: letter, name: letter }))
  const enter = { name: "return", text: "\r" }
  const table: ReadonlyArray<readonly [string, World, Partial<login.Input>, Partial<Seen>]> = [
    ["keeps a login and tries it", {}, { user: "u", pass: "p" }, {
      config: { hosts: { "a.io": { user: "u", pass: "p" } } },
      pinged: ["a.io"],
      displayed: "",
      logs: ["Info Credentials set {\"registry\":\"a.io\"}"],
      failure: ""
    }],
    ["is for Docker Hub without a name", {}, { user: "u", pass: "p", args: [] }, {
      config: { hosts: { "docker.io": { user: "u", pass: "p" } } },
      pinged: ["docker.io"]
    }],
    ["tries nothing on request", {}, { user: "u", pass: "p", skipCheck: true }, { pinged: [], failure: "" }],
    ["keeps a login that does not work", { pingFails: true }, { user: "u", pass: "p" }, {
      config: { hosts: { "a.io": { user: "u", pass: "p" } } },
      logs: [
        "Info Credentials set {\"registry\":\"a.io\"}",
        "Warn Failed to ping registry, credentials were still stored {}"
      ],
      failure: "failed to ping registry a.io: unauthorized [http 401]"
    }],
    [
      "keeps a token in place of a login",
      { config: { hosts: { "a.io": { user: "u", pass: "p", tls: "disabled" } } } },
      {
        user: "<token>",
        pass: "t"
      },
      { config: { hosts: { "a.io": { tls: "disabled", token: "t" } } } }
    ],
    ["keeps a login in place of a token", { config: { hosts: { "a.io": { token: "t" } } } }, { user: "u", pass: "p" }, {
      config: { hosts: { "a.io": { user: "u", pass: "p" } } }
    }],
    ["remembers the scheme of a new registry", {}, { user: "u", pass: "p", args: ["http://l:5000"] }, {
      config: { hosts: { "l:5000": { tls: "disabled", user: "u", pass: "p", credHost: "http://l:5000" } } },
      pinged: ["l:5000"]
    }],
    ["reads a password from stdin", { stdin: "p q\n\r\n" }, { user: "u", passStdin: true }, {
      config: { hosts: { "a.io": { user: "u", pass: "p q" } } }
    }],
    ["wants a user with a password from stdin", { stdin: "p" }, { passStdin: true }, {
      failure: "user must be provided to read password from stdin",
      config: {}
    }],
    ["wants a password", { stdin: "\n" }, { user: "u", passStdin: true }, {
      failure: "required input missing",
      logs: ["Error Password is required {}"]
    }],
    ["asks for both", { lines: ["u"], keys: [...typed("pxX"), { name: "backspace" }, enter] }, {}, {
      displayed: "Enter Username: Enter Password: \n",
      config: { hosts: { "a.io": { user: "u", pass: "px" } } }
    }],
    [
      "keeps the user for an empty answer",
      {
        config: { hosts: { "a.io": { user: "old", pass: "x" } } },
        lines: [""],
        keys: [...typed("p"), enter]
      },
      {},
      {
        displayed: "Enter Username [old]: Enter Password: \n",
        config: { hosts: { "a.io": { user: "old", pass: "p" } } }
      }
    ],
    ["wants a user", { lines: [""] }, {}, {
      displayed: "Enter Username: ",
      failure: "required input missing",
      logs: ["Error Username is required {}"]
    }],
    ["wants a user at the end of input", {}, {}, { failure: "required input missing" }],
    ["asks for a password at a terminal only", {}, { user: "u" }, {
      displayed: "Enter Password: ",
      failure:
        "unable to read from tty (resolve by using \"-p\" flag, or winpty on Windows): inappropriate ioctl for device"
    }],
    ["ends at Ctrl-C", { keys: [...typed("p"), { name: "c", ctrl: true }] }, { user: "u" }, {
      failure: "interrupted",
      config: {}
    }],
    ["refuses a line break in a password", {}, { user: "u", pass: "a\nb" }, {
      failure: "user name and password cannot have a line break or a NUL",
      config: {}
    }],
    ["refuses a name with a path", {}, { user: "u", pass: "p", args: ["a.io/repo"] }, {
      failure: "invalid registry name provided: a.io/repo",
      config: {}
    }]
  ]
  for (const [what, world, flags, expected] of table) {
    it.effect(what, () => Effect.map(inWorld(world, login.run({ ...noFlags, ...flags })), (it) => shows(it, expected)))
  }
})

describe("registry logout", () => {
  const table: ReadonlyArray<readonly [string, World, string, Partial<Seen>]> = [
    ["forgets an entry that held a login alone", { config: { hosts: { "a.io": { user: "u", pass: "p" } } } }, "a.io", {
      config: {},
      logs: []
    }],
    ["keeps other settings", { config: { hosts: { "a.io": { token: "t", credHelper: "h" } } } }, "a.io", {
      config: { hosts: { "a.io": { credHelper: "h" } } }
    }],
    ["finds a name as another tool wrote it", { config: { hosts: { "http://a.io": { user: "u" } } } }, "http://a.io", {
      config: {}
    }],
    ["warns when there is none", {}, "a.io", {
      logs: ["Warn No configuration/credentials found {\"registry\":\"a.io\"}"],
      failure: ""
    }],
    ["refuses a name with a path", {}, "a.io/x", { failure: "invalid registry name provided: a.io/x" }]
  ]
  for (const [what, world, name, expected] of table) {
    it.effect(what, () => Effect.map(inWorld(world, logout.run({ args: [name] })), (it) => shows(it, expected)))
  }
})

describe("registry whoami", () => {
  const table: ReadonlyArray<readonly [string, object, string, string]> = [
    ["the user of the file", { user: "u", pass: "p" }, "u", ""],
    ["<token> for a token", { token: "t" }, "<token>", ""],
    ["the user a helper knows", { user: "u", credHelper: "good" }, "helperuser", ""],
    ["<token> for a helper's token", { credHelper: "tok" }, "<token>", ""],
    ["the user of the file when the helper has none", { user: "u", credHelper: "bad" }, "u", ""],
    ["nobody", { tls: "disabled" }, "", "no login found for a.io"]
  ]
  for (const [what, entry, user, failure] of table) {
    it.effect(`prints ${what}`, () =>
      Effect.map(
        inWorld({ config: { hosts: { "a.io": entry } } }, whoami.run({ args: ["a.io"] })),
        (it) => shows(it, { printed: user === "" ? [] : [user], failure })
      ))
  }

  it.effect("is about Docker Hub without a name", () =>
    Effect.map(inWorld({}, whoami.run({ args: [] })), (it) => shows(it, { failure: "no login found for docker.io" })))
})

describe("registry config", () => {
  const hosts = {
    "a.io": { user: "u", pass: "p", token: "t", clientKey: "k", clientCert: "c" },
    "b.io": { user: "old", credHelper: "good" }
  }
  const table: ReadonlyArray<readonly [string, ReadonlyArray<string>, Partial<Seen>]> = [
    ["shows the whole file without secrets", [], {
      views: [{ hosts: { "a.io": { clientCert: "c", user: "u" }, "b.io": { user: "old", credHelper: "good" } } }]
    }],
    ["shows a host without secrets", ["a.io"], { views: [{ clientCert: "c", user: "u" }] }],
    ["shows the user a helper knows", ["b.io"], {
      views: [{ user: "helperuser", credHelper: "good", credExpire: "1h0m0s" }]
    }],
    ["warns of an unknown host and prints nothing", ["c.io"], {
      views: [],
      logs: ["Warn No configuration found for registry {\"registry\":\"c.io\"}"],
      failure: ""
    }]
  ]
  for (const [what, args, expected] of table) {
    it.effect(what, () =>
      Effect.map(
        inWorld({ config: { hosts } }, config.run({ format: "{{jsonPretty .}}", args })),
        (it) => shows(it, expected)
      ))
  }
})

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
