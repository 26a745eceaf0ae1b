import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { ConfigFile } from "../../src/services/ConfigFile.ts"
import { HostEntries } from "../../src/services/HostEntries.ts"
import { Hosts } from "../../src/services/Hosts.ts"
import { auth, host, within } from "./configured.ts"

describe("Hosts", () => {
  it.effect("has defaults for a host nobody configured", () =>
    within({ regctl: { hostDefault: { tls: "insecure", reqConcurrent: 7 } } }, () =>
      Effect.gen(function*() {
        const unknown = yield* host("x.io:5000")
        assert.deepStrictEqual([
          unknown.name,
          unknown.hostname,
          unknown.tls,
          unknown.reqConcurrent,
          unknown.isConfigured
        ], [
          "x.io:5000",
          "x.io:5000",
          "insecure",
          7,
          false
        ])
        const hub = yield* host("docker.io")
        assert.deepStrictEqual([hub.hostname, hub.tls, hub.reqConcurrent], [
          "registry-1.docker.io",
          "enabled",
          undefined
        ])
      })))

  it.effect("takes times for each host, 0 for none, and the limit of chunks for all", () =>
    within({
      regctl: {
        blobLimit: 4096,
        hostDefault: { timeouts: { stall: "5m0s" } },
        hosts: { "a.io": { timeouts: { headers: "1.5s", commit: "0s" } } }
      }
    }, () =>
      Effect.gen(function*() {
        const { blobLimit, timeouts } = yield* host("a.io")
        assert.deepStrictEqual(timeouts, { connect: 30_000, headers: 1_500, commit: 0, stall: 300_000 })
        assert.strictEqual(blobLimit, 4096)
      })))

  it.effect("starts the entries of regctl and --host from the defaults, docker's not", () =>
    within({
      regctl: { hostDefault: { reqConcurrent: 7 }, hosts: { "a.io": { tls: "disabled" } } },
      docker: { auths: { "b.io": auth("u:p") } },
      hosts: ["reg=c.io,tls=Insecure"]
    }, (_, warnings) =>
      Effect.gen(function*() {
        const found = yield* Effect.forEach(["a.io", "b.io", "c.io"], host)
        assert.deepStrictEqual(found.map((it) => [it.tls, it.reqConcurrent, it.isConfigured]), [
          ["disabled", 7, true],
          ["enabled", undefined, true],
          ["insecure", 7, true]
        ])
        assert.deepStrictEqual(warnings, [])
      })))

  it.effect("warns of a setting that a later source changes, and of texts it cannot read", () =>
    within({
      regctl: { hosts: { "a.io": { tls: "disabled", user: "u" } } },
      hosts: ["reg=a.io,tls=insecure,user=v", "reg=a.io,tls=bad", "reg=\"x", "user=u,pass=s3cret"]
    }, (_, warnings) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* host("a.io")).tls, "insecure")
        assert.deepStrictEqual(warnings, [
          "Changing login user for registry",
          "Changing TLS settings for registry",
          "unable to parse tls setting",
          "unable to parse host string",
          "Ignoring registry config without a name",
          "Ignoring registry config without a name"
        ])
      })))

  const order = (name: string) =>
    Effect.flatMap(Hosts, (it) => Effect.map(it.readOrder(name), (hosts) => hosts.map((found) => found.name)))

  it.effect("reads from mirrors by priority, from the host itself last among equals", () =>
    within({
      regctl: {
        hosts: {
          "up.io": { mirrors: ["m3.io", "", "m1.io", "m2.io", "m1.io", "up.io"], priority: 5 },
          "m1.io": { priority: 1 },
          "m2.io": { priority: 9 },
          "m3.io": { priority: 5 }
        }
      }
    }, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* order("up.io"), ["m1.io", "m3.io", "up.io", "m2.io"])
        assert.deepStrictEqual(yield* order("m1.io"), ["m1.io"])
      })))

  it.effect("trusts docker's and podman's certificates for a host besides its own", () =>
    within(
      { regctl: { hosts: { "a.io:5000": { regcert: "OWN" }, "b.io": { hostname: "../a.io:5000" } } } },
      (directory) =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          for (
            const [place, name] of [["certs.d", "b.crt"], ["certs.d", "a.crt"], ["certs.d", "a.key"], [
              "more.d",
              "c.crt"
            ]]
          ) {
            yield* fs.makeDirectory(`${directory}/${place}/a.io:5000`, { recursive: true })
            yield* fs.writeFileString(`${directory}/${place}/a.io:5000/${name}`, `${name}`)
          }
          assert.deepStrictEqual((yield* host("a.io:5000")).certificates, ["a.crt", "b.crt", "c.crt", "OWN"])
          assert.deepStrictEqual((yield* host("a.io")).certificates, [])
          assert.deepStrictEqual((yield* host("b.io")).certificates, [])
        })
    ))

  it.effect("leaves docker's certificates alone when they are switched off", () =>
    within({ regctl: { incDockerCert: false } }, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/certs.d/a.io`, { recursive: true })
        yield* fs.writeFileString(`${directory}/certs.d/a.io/a.crt`, "A")
        assert.deepStrictEqual((yield* host("a.io")).certificates, [])
      })))

  it.effect("warns of a certificate it cannot read and trusts the system's alone", () =>
    within({}, (directory, warnings) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/certs.d/a.io/a.crt`, { recursive: true })
        assert.deepStrictEqual((yield* host("a.io")).certificates, [])
        assert.deepStrictEqual(warnings, ["failed to setup CA pool"])
      })))

  it.effect("reads nothing before it is asked", () => {
    const read = () => Effect.die("a file was read")
    const fs = FileSystem.makeNoop({ access: read, exists: read, readDirectory: read, readFile: read, stat: read })
    return Hosts.pipe(
      Effect.provide(
        Layer.fresh(Hosts.layer).pipe(Layer.provide(HostEntries.layer), Layer.provide(ConfigFile.layer))
      ),
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.provide(Path.layer)
    )
  })
})
