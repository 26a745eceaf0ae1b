/** The YAML files of regsync and regbot, read from standard input as the tools do, and scripts. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Exit, Layer, Stdio, Stream } from "effect"
import { load as loadRegbot } from "../../../src/programs/regbot/load.ts"
import { load as loadRegsync } from "../../../src/programs/regsync/load.ts"
import { ScriptsFailed } from "../../../src/schemas/ScriptError.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { run } from "../../lib/lua/chunks.ts"
import { type Family, held, secret } from "./family.ts"

const regsync = `version: 1
x-common: &common
  interval: 1h
  fastCheck: true
creds:
  - registry: registry.example.com:5000
    user: sync
    pass: ${secret}
    tls: disabled
    reqPerSec: 10.5
    mirrors: [a.example, b.example]
    apiOpts: {disableHead: "true"}
  - registry: docker.io
    token: "${secret}"
    credExpire: 1h
defaults:
  parallel: 2
  interval: 60m
  ratelimit: {min: 100, retry: 15m}
  cacheCount: 500
  cacheTime: 5m
  userAgent: own/1
  mediaTypes:
    - application/vnd.oci.image.index.v1+json
sync:
  - source: alpine
    target: registry.example.com:5000/{{ upper "a" | lower }}/alpine
    type: repository
    tags:
      allow:
        - "3\\\\.[0-9]+"
        - latest
      deny: ["3.0"]
      semverRange: [">=3.15 <4"]
    schedule: "15 */6 * * *"
    backup: "backup-{{.Ref.Tag}}"
    platforms: [linux/amd64, linux/arm64]
  - <<: *common
    name: one
    source: busybox:latest
    target: registry.example.com:5000/busybox:latest
    type: image
    platform: linux/amd64
    digestTags: true
    referrers: true
    referrerFilters:
      - artifactType: application/example
        annotations: {a: b}
    hooks:
      pre: {type: http, params: ["https://h.example"]}
  - source: source.example
    target: registry.example.com:5000
    type: registry
    repos: {allow: [".*"], deny: ["x/.*"]}
server:
  token: ${secret}
`

const regbot = `version: 1
creds:
  - registry: localhost:5000
    user: bot
    pass: ${secret}
defaults:
  interval: 60m
  timeout: 600s
  parallel: 1
  skipDockerConfig: true
scripts:
  - name: list
    timeout: 30s
    script: |
      for k, t in ipairs(tag.ls("localhost:5000/a")) do
        log("tag " .. t)
      end
  - name: two
    schedule: "0 3 * * 1"
    sandbox: true
    script: "log('x')"
`

const services = (input: Uint8Array) =>
  Formatter.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        NodePath.layer,
        NodeFileSystem.layer,
        Stdio.layerTest({ stdin: Stream.make(new Uint8Array(input)) })
      )
    )
  )

const yaml = <A>(
  name: string,
  seed: string,
  load: () => Effect.Effect<A, unknown, Layer.Success<ReturnType<typeof services>>>
): Family => ({
  name,
  form: "yaml",
  weight: 12,
  seeds: [seed],
  take: (input) => {
    const once = () => Effect.provide(load(), services(input))
    return Effect.gen(function*() {
      const first = JSON.stringify(yield* once())
      const second = yield* Effect.exit(once())
      if (Exit.isFailure(second)) return ["the second time it is refused"]
      return JSON.stringify(second.value) === first ? held : ["the second time it reads otherwise"]
    })
  }
})

const scriptSeeds: ReadonlyArray<string> = [
  `local t = {}\nfor i = 1, 10 do t[#t + 1] = string.format("%5d|%-3s|%q", i, "a", "b\\n") end\nprint(table.concat(t, ","))`,
  `print(("a,b;c"):gsub("[,;]", {[","] = "x"}), ("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("x"):rep(3, "-"))`,
  `local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) error({code = b}) end)\nprint(co(1))\nprint(pcall(co, 2))`,
  `local mt = setmetatable({}, {__index = function(t, k) return k .. "!" end, __call = function(_, x) return x end, __tostring = function() return "m" end})\nprint(mt.a, mt(3), tostring(mt), #"é", 7 // 2, 1e308 * 10, 2^53, 0x10, -7 % 3)`,
  `local function f(n, ...) if n == 0 then return select("#", ...) end return f(n - 1, n, ...) end\nprint(f(20), next({}), type(nil), tonumber("0x1p4"), math.floor(-1.5), os.time({year = 2020, month = 1, day = 1}))\ngoto done\n::done::\nerror("end", 2)`,
  `local s = [[\nlong\n]] --[==[ comment ]==]\nrepeat local x = s:find("o", 1, true) until x\nwhile true do break end\ntable.sort({3, 1, 2}, function(a, b) return a > b end)\nassert(load("return 1 +"))`
]

const scripts: Family = {
  name: "script",
  form: "text",
  weight: 4,
  patience: 5_000,
  seeds: scriptSeeds,
  take: (input) =>
    Effect.suspend(() => {
      const { raised } = run(input, { isSandboxed: true, checks: 2_000, milliseconds: 1_000, memory: 2 * 1024 ** 3 })
      return raised === undefined
        ? Effect.succeed(held)
        : Effect.fail(new ScriptsFailed({ messages: [`${raised.message}\n${raised.traceback}`] }))
    })
}

export const settings: ReadonlyArray<Family> = [
  yaml("regsync.yml", regsync, () => loadRegsync("-", { strict: false })),
  yaml("regsync.yml, strict", regsync, () => loadRegsync("-", { strict: true })),
  yaml("regbot.yml", regbot, () => loadRegbot("-", { strict: false, sandbox: false })),
  scripts
]
