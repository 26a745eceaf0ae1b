import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { loading, printed } from "./loading.ts"

const sample = `x-registry: &hub
  type: image
  target: registry.test:5000/{{ .Sync.Source }}
creds:
  - registry: registry.test:5000
    tls: Disabled
    user: "{{ lower \\"ANN\\" }}"
    pass: "p: #1"
    clientKey: |
      -----BEGIN PRIVATE KEY-----
      abc
      -----END PRIVATE KEY-----
    apiOpts: {disableHead: true, b: "1"}
    mirrors: [m.test]
    reqPerSec: 1.5
    credExpire: 3600000000000
defaults:
  schedule: "15 01 * * *"
  backup: "{{ .Ref.Tag }}-old"
  ratelimit: {min: 100, retry: 15m}
  parallel: 2
  cacheCount: 500
  cacheTime: "5m"
  referrers: true
  referrerFilters: [{artifactType: a/b, annotations: {z: "1", a: "2"}}]
  hooks:
    pre: {type: exec, params: [a, "b c"]}
sync:
  - <<: *hub
    source: alpine
    type: repository
    tags: {allow: [3, 3.9, 'v\\d+'], semverRange: [">=3 <4"]}
    tagSets: [{deny: [x]}]
  - source: busybox
    target: registry.test:5000/busybox
    type: image
    interval: 60m
    platforms: [linux/amd64]
    digestTags: false
    fastCheck: true
  - source: quay.test
    target: registry.test:5000
    type: registry
    repos: {allow: [a/.*], deny: [b]}
    ratelimit: {retry: 1m}
`

/** As the Go tool prints it. */
const golden = `version: 1
creds:
- registry: registry.test:5000
  tls: disabled
  regcert: ""
  clientCert: ""
  clientKey: |
    -----BEGIN PRIVATE KEY-----
    abc
    -----END PRIVATE KEY-----
  hostname: ""
  user: ann
  pass: "p: #1"
  token: ""
  credHelper: ""
  credExpire: 3600000000000
  credHost: ""
  pathPrefix: ""
  mirrors:
  - m.test
  priority: 0
  repoAuth: false
  api: ""
  apiOpts:
    b: "1"
    disableHead: "true"
  blobChunk: 0
  blobMax: 0
  reqPerSec: 1.5
  reqConcurrent: 0
  scheme: ""
defaults:
  backup: "{{ .Ref.Tag }}-old"
  interval: 0s
  schedule: 15 01 * * *
  ratelimit:
    min: 100
    retry: 15m0s
  parallel: 2
  digestTags: null
  referrers: true
  referrerFilters:
  - artifactType: a/b
    annotations:
      a: "2"
      z: "1"
  referrerSource: ""
  referrerTarget: ""
  referrerSlow: null
  fastCheck: null
  forceRecursive: null
  includeExternal: null
  mediaTypes: []
  hooks:
    pre:
      type: exec
      params:
      - a
      - b c
    post: null
    unchanged: null
  blobLimit: 0
  cacheCount: 500
  cacheTime: 5m0s
  skipDockerConfig: false
  userAgent: ""
sync:
- source: alpine
  target: registry.test:5000/alpine
  type: repository
  tags:
    allow:
    - "3"
    - "3.9"
    - "v\\\\d+"
    deny: []
    semverRange:
    - ">=3 <4"
  tagSets:
  - allow: []
    deny:
    - x
  repos:
    allow: []
    deny: []
  digestTags: false
  referrers: true
  referrerFilters:
  - artifactType: a/b
    annotations:
      a: "2"
      z: "1"
  referrerSource: ""
  referrerTarget: ""
  referrerSlow: false
  platform: ""
  platforms: []
  fastCheck: false
  forceRecursive: false
  includeExternal: false
  backup: "{{ .Ref.Tag }}-old"
  interval: 0s
  schedule: 15 01 * * *
  ratelimit:
    min: 100
    retry: 15m0s
  mediaTypes:
  - application/vnd.docker.distribution.manifest.v2+json
  - application/vnd.docker.distribution.manifest.list.v2+json
  - application/vnd.oci.image.manifest.v1+json
  - application/vnd.oci.image.index.v1+json
  hooks:
    pre:
      type: exec
      params:
      - a
      - b c
    post: null
    unchanged: null
- source: busybox
  target: registry.test:5000/busybox
  type: image
  tags:
    allow: []
    deny: []
  tagSets: []
  repos:
    allow: []
    deny: []
  digestTags: false
  referrers: true
  referrerFilters:
  - artifactType: a/b
    annotations:
      a: "2"
      z: "1"
  referrerSource: ""
  referrerTarget: ""
  referrerSlow: false
  platform: ""
  platforms:
  - linux/amd64
  fastCheck: true
  forceRecursive: false
  includeExternal: false
  backup: "{{ .Ref.Tag }}-old"
  interval: 1h0m0s
  schedule: ""
  ratelimit:
    min: 100
    retry: 15m0s
  mediaTypes:
  - application/vnd.docker.distribution.manifest.v2+json
  - application/vnd.docker.distribution.manifest.list.v2+json
  - application/vnd.oci.image.manifest.v1+json
  - application/vnd.oci.image.index.v1+json
  hooks:
    pre:
      type: exec
      params:
      - a
      - b c
    post: null
    unchanged: null
- source: quay.test
  target: registry.test:5000
  type: registry
  tags:
    allow: []
    deny: []
  tagSets: []
  repos:
    allow:
    - a/.*
    deny:
    - b
  digestTags: false
  referrers: true
  referrerFilters:
  - artifactType: a/b
    annotations:
      a: "2"
      z: "1"
  referrerSource: ""
  referrerTarget: ""
  referrerSlow: false
  platform: ""
  platforms: []
  fastCheck: false
  forceRecursive: false
  includeExternal: false
  backup: "{{ .Ref.Tag }}-old"
  interval: 0s
  schedule: 15 01 * * *
  ratelimit:
    min: 100
    retry: 5m0s
  mediaTypes:
  - application/vnd.docker.distribution.manifest.v2+json
  - application/vnd.docker.distribution.manifest.list.v2+json
  - application/vnd.oci.image.manifest.v1+json
  - application/vnd.oci.image.index.v1+json
  hooks:
    pre:
      type: exec
      params:
      - a
      - b c
    post: null
    unchanged: null
`

describe("regsync config", () => {
  it.effect("prints every key in the order and form of the Go tool (section 7)", () =>
    Effect.map(printed(sample), (text) => assert.strictEqual(text, golden)))

  it.effect("prints what loads to the same again", () =>
    Effect.gen(function*() {
      const text = yield* printed(sample)
      assert.strictEqual(yield* printed(text), text)
      const [first, second] = [yield* loading(sample), yield* loading(text)]
      const places = { line: 0, column: 0 }
      assert.deepStrictEqual(
        second.config.sync.map((it) => ({ ...it, ...places })),
        first.config.sync.map((it) => ({ ...it, referrerFilters: it.referrerFilters ?? [], ...places }))
      )
    }))

  it.effect("prints keys of ours when they are set, and loads them", () =>
    Effect.gen(function*() {
      const text = yield* printed(`
creds: [{registry: a, trustedRealms: [b], timeouts: {stall: 5m}, reqPerSec: 2}]
defaults: {backupRequired: false}
sync: [{name: mine, type: image, source: a, target: b}]
server: {listen: ":80", token: '{{ lower "T" }}'}
`)
      assert.include(text, "  reqPerSec: 2.0\n")
      assert.include(text, "  trustedRealms:\n  - b\n  timeouts:\n    stall: 5m0s\n")
      assert.include(text, "- name: mine\n  source: a\n")
      assert.include(text, "\nserver:\n  listen: :80\n  token: t\n")
      assert.strictEqual(text.match(/backupRequired: false/g)?.length, 2)
      assert.strictEqual(yield* printed(text), text)
    }))

  it.effect("censors secrets when asked to (K16)", () =>
    Effect.gen(function*() {
      const text = yield* printed(`${sample}server: {token: hunter2}\n`, true)
      assert.include(text, "  clientKey: \"[censored]\"\n")
      assert.include(text, "  pass: \"[censored]\"\n  token: \"\"\n")
      assert.notMatch(text, /PRIVATE|p: #1|hunter2/)
    }))
})
