import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as config from "../../../src/programs/registry/config.ts"
import * as login from "../../../src/programs/registry/login.ts"
import * as logout from "../../../src/programs/registry/logout.ts"
import * as whoami from "../../../src/programs/registry/whoami.ts"
import { inWorld, type Seen, shows, type World } from "./world.ts"

describe("registry login", () => {
  const noFlags = { user: "", pass: "", passStdin: false, skipCheck: false, args: ["a.io"] }
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
    ["takes an empty user and password that were given", {}, { user: "", pass: "" }, {
      config: {},
      displayed: "",
      failure: ""
    }],
    ["reads a password for an empty user that was given", { stdin: "p\n" }, { user: "", passStdin: true }, {
      config: { hosts: { "a.io": { pass: "p" } } }
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
    it.effect(
      what,
      () =>
        Effect.map(
          inWorld(world, login.run({ ...noFlags, given: new Set(Object.keys(flags)), ...flags })),
          (it) => shows(it, expected)
        )
    )
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
