import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { loading, problemOf, warningsOf } from "./loading.ts"

const entry = (lines: string) => `sync:\n- type: image\n  ${lines.replaceAll("\n", "\n  ")}\n`

describe("a file that cannot be", () => {
  const rows: ReadonlyArray<readonly [what: string, text: string | Uint8Array, problem: string]> = [
    [
      "tabs (K01, K09)",
      "sync:\n\t- type: image\n",
      "ConfigSyntax: stdin: [2:1] found character '\\t' that cannot start any token\n    2 | - type: image"
    ],
    ["bytes that are no text (K09)", Uint8Array.of(0xff, 0xfe), "ConfigSyntax: stdin: not UTF-8 text"],
    [
      "an unknown alias (spec 3.2)",
      entry("source: *nobody"),
      "ConfigSyntax: stdin: [3:11] cannot find anchor by alias name nobody\n    3 | source: *nobody"
    ],
    [
      "a password that is read as an alias (K01)",
      "creds:\n- registry: a\n  pass: *hunter2\n",
      "ConfigSyntax: stdin: [3:9] this is no YAML; a text with special characters needs quotes\n    3 | pass: [censored]"
    ],
    [
      "the line of a key (K01)",
      "creds:\n- registry: a\n  clientKey: |\n    -----BEGIN\n   hunter2\n",
      "ConfigSyntax: stdin: [5:1] this is no YAML; a text with special characters needs quotes\n    5 | [censored]"
    ],
    [
      "wrong kinds (spec 3.1)",
      "sync: foo",
      "ConfigInvalid: stdin: [1:7] sync: string was used where sequence is expected\n    1 | sync: foo"
    ],
    [
      "several problems at once (K03, K13)",
      [
        "defaults: {parallel: x, interval: 5}",
        "creds:",
        "- {registry: a, tls: never, pass: hunter2}",
        "- registry: b",
        "  priority: -1",
        "sync:",
        "- type: picture",
        "  interval: 1d",
        "  schedule: '* * *'",
        "  ratelimit: {min: -2}",
        "  digestTags: yes",
        "- type: image",
        "  tags: {allow: ['a(b'], deny: ['(?=x)'], semverRange: [1.x]}"
      ].join("\n"),
      [
        "ConfigInvalid: stdin: 12 problems",
        "[1:22] defaults.parallel: cannot unmarshal string into Go struct field of type int",
        "    1 | defaults: {parallel: x, interval: 5}",
        "[1:35] defaults.interval: time: missing unit in duration \"5\"",
        "    1 | defaults: {parallel: x, interval: 5}",
        "[3:22] creds[0].tls: unknown TLS value \"never\"",
        "    3 | [censored]",
        "[5:13] creds[1].priority: expected a number of at least 0",
        "    5 | priority: -1",
        "[7:9] sync[0].type: Type not recognized, must be one of: registry, repository, or image: invalid input",
        "    7 | - type: picture",
        "[8:13] sync[0].interval: time: unknown unit \"d\" in duration \"1d\"",
        "    8 | interval: 1d",
        "[9:13] sync[0].schedule: expected exactly 5 fields, found 3: [* * *]",
        "    9 | schedule: '* * *'",
        "[10:20] sync[0].ratelimit.min: expected a number of at least 0",
        "    10 | ratelimit: {min: -2}",
        "[11:15] sync[0].digestTags: cannot unmarshal string into Go struct field of type bool",
        "    11 | digestTags: yes",
        "[13:18] sync[1].tags.allow[0]: invalid allow pattern \"a(b\": error parsing regexp: missing closing ): `^a(b$`",
        "    13 | tags: {allow: ['a(b'], deny: ['(?=x)'], semverRange: [1.x]}",
        "[13:33] sync[1].tags.deny[0]: invalid deny pattern \"(?=x)\": error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
        "    13 | tags: {allow: ['a(b'], deny: ['(?=x)'], semverRange: [1.x]}",
        "[13:57] sync[1].tags.semverRange[0]: invalid semver range \"1.x\": invalid constraint version: \"1.x\"",
        "    13 | tags: {allow: ['a(b'], deny: ['(?=x)'], semverRange: [1.x]}"
      ].join("\n")
    ],
    [
      "a type that is not given",
      "sync:\n- source: a\n",
      "ConfigInvalid: stdin: [2:3] sync[0].type: Type not recognized, must be one of: registry, repository, or image: invalid input\n    2 | - source: a"
    ],
    [
      "a later version, whatever else is wrong (K06)",
      "version: 2\nsync: x\n",
      "ConfigVersion: stdin: unsupported config version"
    ],
    ["more than 4 MiB (K07)", `#${" ".repeat(4 * 1024 * 1024)}`, "YamlLimit: stdin: more than 4194304 bytes"],
    [
      "an alias to itself (K07)",
      "x-a: &a [*a]",
      "YamlLimit: stdin: [1:10] alias a stands inside of what it names\n    1 | x-a: &a [*a]"
    ],
    [
      "a tag that makes code (K08)",
      "x-a: !!js/function 'f'",
      "ConfigInvalid: stdin: [1:20] tag tag:yaml.org,2002:js/function is not allowed\n    1 | x-a: !!js/function 'f'"
    ],
    ["a merge of no map (K08)", entry("<<: 3"), "ConfigInvalid: stdin: [3:3] only maps can be merged\n    3 | <<: 3"],
    [
      "a function that is none (K10)",
      entry("source: '{{ nope }}'"),
      "TemplateError: stdin: [2:3] sync[0].source: template: out:1: function \"nope\" not defined"
    ],
    [
      "a field that is none (K10)",
      entry("target: '{{ .Sync.Nope }}'"),
      "TemplateError: stdin: [2:3] sync[0].target: template: out:1:8: executing \"out\" at <.Sync.Nope>: can't evaluate field Nope in type main.ConfigSync"
    ],
    [
      "output without end (K10)",
      entry(
        "source: '{{ define \"a\" }}{{ printf \"%1000000d\" 1 }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}'"
      ),
      "TemplateError: stdin: [2:3] sync[0].source: template: out:1:19: executing \"a\" at <{{printf \"%1000000d\" 1}}>: output is larger than 1048576 bytes"
    ],
    [
      "two entries of one name",
      "sync:\n- {name: a, type: image}\n- {name: a, type: image}\n",
      "ConfigInvalid: stdin: [3:3] sync[1].name: another entry is named \"a\" already\n    3 | - {name: a, type: image}"
    ]
  ]
  for (const [what, text, problem] of rows) {
    it.effect(`has ${what}`, () => Effect.map(problemOf(text), (it) => assert.strictEqual(it, problem)))
  }

  it.effect("is told of with 20 of its problems, one for all uses of an anchor", () =>
    Effect.gen(function*() {
      const many = yield* problemOf(`sync:\n${"- type: x\n".repeat(25)}`)
      assert.match(many, /^ConfigInvalid: stdin: 25 problems\n[^]*\nand 5 more$/)
      assert.strictEqual(many.match(/not recognized/g)?.length, 20)
      const one = yield* problemOf(`x-a: &a {type: image, interval: 1d}\nsync:\n${"- <<: *a\n".repeat(9)}`)
      assert.strictEqual(
        one,
        "ConfigInvalid: stdin: [1:33] sync[0].interval: time: unknown unit \"d\" in duration \"1d\"\n    1 | x-a: &a {type: image, interval: 1d}"
      )
    }))
})

describe("unknown and repeated keys", () => {
  const text = entry("targt: a\ntag: b\nother: c\nx-mine: d\nsource: a\nsource: b")

  it.effect("are warned of when they are close to a known one (K02, K04)", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* warningsOf(text), [
        "Unknown key in configuration is ignored file=stdin line=3 key=sync[0].targt near=target",
        "Unknown key in configuration is ignored file=stdin line=4 key=sync[0].tag near=tags"
      ])
      assert.strictEqual((yield* loading(text)).config.sync[0]?.source, "b")
    }))

  it.effect("are refused when asked for, but for x-* and merges (K02, K04)", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* problemOf(text, true),
        [
          "ConfigInvalid: stdin: 4 problems",
          "[3:3] sync[0].targt: unknown key, is target meant?",
          "    3 | targt: a",
          "[4:3] sync[0].tag: unknown key, is tags meant?",
          "    4 | tag: b",
          "[5:3] sync[0].other: unknown key",
          "    5 | other: c",
          "[8:3] sync[0].source: this key is given twice",
          "    8 | source: b"
        ].join("\n")
      )
      const merged = "x-a: &a {type: image}\nsync:\n- <<: *a\n  type: repository\n"
      assert.strictEqual((yield* loading(merged, { strict: true })).config.sync[0]?.type, "repository")
    }))

  it.effect("change no prototype (K08)", () =>
    Effect.gen(function*() {
      const { config } = yield* loading(entry("__proto__: {polluted: yes}\nconstructor: 1"))
      assert.isFalse("polluted" in (config.sync[0] ?? {}))
    }))
})

describe("a file without content", () => {
  for (
    const text of ["", "# nothing\n", "---\n", "\ufeff", "version: 1\r\n", "sync: null\n", "sync: []\n---\nsync: x\n"]
  ) {
    it.effect(`such as ${JSON.stringify(text)} has nothing to do (K09)`, () =>
      Effect.map(loading(text), ({ config, jobs }) => {
        assert.deepStrictEqual(jobs, [])
        assert.strictEqual(config.version, 1)
        assert.strictEqual(config.defaults.ratelimit.retry, 300_000)
      }))
  }
})

describe("an entry", () => {
  it.effect("takes from the defaults what it leaves open (section 5)", () =>
    Effect.gen(function*() {
      const { config: { sync } } = yield* loading(`
defaults:
  schedule: "0 1 * * *"
  interval: 1h
  backup: old
  ratelimit: {min: 7, retry: 1m}
  digestTags: true
  fastCheck: true
  referrerFilters: [{artifactType: a/b}]
  mediaTypes: [m/t]
sync:
- type: image
- type: image
  interval: 30s
  backup: mine
  ratelimit: {min: 9, retry: 1m}
  digestTags: false
  fastCopy: false
  referrerFilters: []
  mediaTypes: [o/t]
`)
      const [first, second] = sync
      assert.deepInclude(first, {
        schedule: "0 1 * * *",
        interval: 0,
        backup: "old",
        ratelimit: { min: 7, retry: 300_000 },
        mediaTypes: ["m/t"],
        referrerFilters: [{ artifactType: "a/b", annotations: {} }]
      })
      assert.deepInclude(second, {
        schedule: "",
        interval: 30_000,
        backup: "mine",
        ratelimit: { min: 9, retry: 300_000 },
        mediaTypes: ["o/t"],
        referrerFilters: []
      })
      assert.deepInclude(first?.switches, { digestTags: true, fastCheck: true, referrers: false })
      assert.deepInclude(second?.switches, { digestTags: false, fastCheck: false })
    }))

  it.effect("has its templates expanded in order, backup excepted (section 6)", () =>
    Effect.gen(function*() {
      const { config: { sync } } = yield* loading(`
defaults: {referrerTarget: "{{ .Sync.Target }}/refs", backup: "{{ .Ref.Tag }}-old"}
sync:
- type: image
  source: gcr.io/{{ lower "APP" }}
  referrerSource: "{{ .Sync.Source }}-{{ .Sync.Target }}"
  target: reg/{{ index (split .Sync.Source "gcr.io/") 1 }}:{{ .Sync.ReferrerSrc | len }}
`)
      const template = "reg/{{ index (split .Sync.Source \"gcr.io/\") 1 }}:{{ .Sync.ReferrerSrc | len }}"
      assert.deepInclude(sync[0], {
        source: "gcr.io/app",
        referrerSource: `gcr.io/app-${template}`,
        target: `reg/app:${`gcr.io/app-${template}`.length}`,
        referrerTarget: `reg/app:${`gcr.io/app-${template}`.length}/refs`,
        backup: "{{ .Ref.Tag }}-old"
      })
    }))

  it.effect("has a name of its own", () =>
    Effect.gen(function*() {
      const line = (more: string) => `- {type: repository, source: a, target: b${more}}\n`
      const { jobs } = yield* loading(`sync:\n${line("")}${line(", name: mine")}${line("")}`)
      assert.deepStrictEqual(jobs.map(({ name }) => name), ["a -> b", "mine", "a -> b (2)"])
    }))
})

describe("a warning", () => {
  it.effect("tells of what env and file do not find, once each (K12)", () =>
    Effect.gen(function*() {
      const text = entry("source: '{{ env \"REGSYNC_NOT_SET\" }}{{ file \"/nonexistent\" }}x'")
      assert.deepStrictEqual(yield* warningsOf(`${text}${text.slice(6)}`), [
        "template: environment variable \"REGSYNC_NOT_SET\" is not set",
        "template: file \"/nonexistent\" cannot be read"
      ])
    }))

  it.effect("tells of hooks, once", () =>
    Effect.map(
      warningsOf("defaults: {hooks: {pre: {type: exec}}}\nsync: [{type: image, hooks: {post: {type: exec}}}]"),
      (it) => assert.deepStrictEqual(it, ["Hooks are configured, but never run file=stdin"])
    ))

  it.effect("tells of entries with one target, under any of its names (K05)", () =>
    Effect.gen(function*() {
      const text = ["busybox", "docker.io/library/busybox:latest", "docker.io/busybox:1"]
        .map((it) => `- {type: image, source: a, target: "${it}"}\n`).join("")
      assert.deepStrictEqual(yield* warningsOf(`sync:\n${text}`), [
        "Several entries have one target file=stdin target=docker.io/library/busybox:latest lines=2,3"
      ])
    }))
})

describe("creds", () => {
  it.effect("of one registry are merged in order, and changes told (4.2)", () =>
    Effect.gen(function*() {
      const text = `
creds:
- registry: http://a:5000
  user: '{{ lower "ANN" }}'
  pass: '{{ upper "one" }}'
  token: '{{ literal }}'
  mirrors: [m]
- registry: a:5000
  user: bob
  scheme: http
- registry: https://index.docker.io/v1/
  credExpire: 90m
- hostname: nameless
- registry: a/path
`
      const { client } = yield* loading(text)
      const own = client.hosts.get("a:5000")
      assert.deepStrictEqual([...client.hosts.keys()], ["a:5000", "docker.io"])
      assert.deepInclude(own, { tls: "disabled", user: "bob", mirrors: ["m"] })
      assert.strictEqual(own?.pass && Redacted.value(own.pass), "ONE")
      assert.strictEqual(own?.token && Redacted.value(own.token), "{{ literal }}")
      assert.strictEqual(client.hosts.get("docker.io")?.credExpire, 5_400_000)
      assert.deepStrictEqual(yield* warningsOf(text), [
        "Scheme is deprecated, for http set TLS to disabled name=a:5000",
        "Changing login user for registry orig=ann new=bob host=a:5000",
        "Ignoring registry config without a name file=stdin line=13",
        "Ignoring registry config without a name file=stdin line=14 registry=\"a/path\""
      ])
    }))

  it.effect("go to the client with what the defaults say of it (section 8)", () =>
    Effect.gen(function*() {
      const { client, parallel } = yield* loading(
        "defaults: {skipDockerConfig: true, blobLimit: 5, userAgent: me, parallel: 3}"
      )
      assert.deepStrictEqual(client, {
        source: "stdin",
        hosts: new Map(),
        skipDocker: true,
        blobLimit: 5,
        userAgent: "me"
      })
      assert.strictEqual(parallel, 3)
    }))
})
