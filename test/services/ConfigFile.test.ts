import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer, Logger, type Path, Redacted } from "effect"
import { execFileSync, spawn } from "node:child_process"
import type { RegctlConfig } from "../../src/schemas/RegctlConfig.ts"
import { emptyConfig } from "../../src/schemas/RegctlConfig.ts"
import { ConfigFile } from "../../src/services/ConfigFile.ts"

/** Runs with a temporary directory and an environment made of it. */
const inHome = <A, E>(
  environment: (directory: string) => Record<string, string>,
  test: (directory: string) => Effect.Effect<A, E, ConfigFile | FileSystem.FileSystem | Path.Path>,
  messages: Array<string> = []
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return yield* test(directory).pipe(
      Effect.provide(Layer.fresh(ConfigFile.layer)),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment(directory))),
      Effect.provide(Logger.layer([Logger.make(({ message }) => void messages.push(String(message)))]))
    )
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const named = (directory: string) => ({ REGCTL_CONFIG: `${directory}/c.json`, HOME: directory })

const config: RegctlConfig = {
  ...emptyConfig,
  hosts: new Map([["a.io", { user: "u", pass: Redacted.make("s3cret") }]])
}
const text = `{
  "hosts": {
    "a.io": {
      "user": "u",
      "pass": "s3cret"
    }
  }
}`

const modeOf = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return (yield* fs.stat(path)).mode & 0o777
})

describe("the file's name", () => {
  const path = Effect.flatMap(ConfigFile, (it) => it.path)

  it.effect("is what REGCTL_CONFIG says", () =>
    inHome(named, (directory) => Effect.map(path, (it) => assert.strictEqual(it, `${directory}/c.json`))))

  it.effect("is below HOME by default", () =>
    inHome(
      (HOME) => ({ HOME, REGCTL_CONFIG: "" }),
      (directory) => Effect.map(path, (it) => assert.strictEqual(it, `${directory}/.regctl/config.json`))
    ))

  it.effect("is in the directory for configuration once a file is there", () =>
    inHome((HOME) => ({ HOME }), (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/.config/regctl`, { recursive: true })
        yield* fs.writeFileString(`${directory}/.config/regctl/config.json`, "{}")
        assert.strictEqual(yield* path, `${directory}/.config/regctl/config.json`)
      })))

  it.effect("follows XDG_CONFIG_HOME", () =>
    inHome((HOME) => ({ HOME, XDG_CONFIG_HOME: `${HOME}/xdg` }), (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/xdg/regctl`, { recursive: true })
        yield* fs.writeFileString(`${directory}/xdg/regctl/config.json`, "{}")
        assert.strictEqual(yield* path, `${directory}/xdg/regctl/config.json`)
      })))
})

describe("load", () => {
  const load = Effect.flatMap(ConfigFile, (it) => it.load)

  it.effect("takes a missing file for an empty configuration", () =>
    inHome(named, () => Effect.map(load, (it) => assert.deepStrictEqual(it, emptyConfig))))

  const failing: ReadonlyArray<readonly [string, string | Uint8Array, string, string]> = [
    ["a syntax error", "{\"hosts\":", "ConfigSyntax", "[1:10] unexpected end: {\"hosts\":"],
    ["bytes that are no text", new Uint8Array([0x7b, 0xff]), "ConfigSyntax", "not UTF-8 text"],
    ["a newer version", "{\"version\":2}", "ConfigVersion", "unsupported config version"],
    [
      "a wrong value",
      "{\"hosts\":{\"a\":{\"tls\":\"x\"}}}",
      "ConfigInvalid",
      "[1:22] hosts.a.tls: unknown TLS value \"x\""
    ]
  ]
  for (const [what, content, tag, detail] of failing) {
    it.effect(`names the file for ${what}`, () =>
      inHome(named, (directory) =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          yield* fs.writeFile(`${directory}/c.json`, new Uint8Array(Buffer.from(content)))
          const error = yield* Effect.flip(load)
          assert.deepStrictEqual([error.reason._tag, error.message], [tag, `${directory}/c.json: ${detail}`])
        })))
  }

  it.effect("names the file for a directory in its place", () =>
    inHome((directory) => ({ REGCTL_CONFIG: directory }), (directory) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load)
        assert.deepStrictEqual([error.reason._tag, error.message], [
          "FsPermission",
          `${directory}: read: is a directory`
        ])
      })))

  it.effect("reads no device, and takes the null device for an empty configuration", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inHome(() => ({ REGCTL_CONFIG: "/dev/null" }), () => load), emptyConfig)
      const error = yield* Effect.flip(inHome(() => ({ REGCTL_CONFIG: "/dev/zero" }), () => load))
      assert.deepStrictEqual([error._tag, error.message], ["ConfigError", "/dev/zero: read: is a device"])
    }))

  it.effect("refuses a file of more than 4 MiB", () =>
    inHome(named, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFile(`${directory}/c.json`, new Uint8Array(4 * 1024 * 1024 + 1))
        const error = yield* Effect.flip(load)
        assert.deepStrictEqual(error.message, `${directory}/c.json: read: larger than 4194304 bytes`)
      })))

  it.effect("reads no more than that of what comes through a pipe", () =>
    inHome(named, (directory) =>
      Effect.gen(function*() {
        execFileSync("mkfifo", [`${directory}/c.json`])
        const writer = spawn("sh", ["-c", `yes > ${directory}/c.json`])
        const error = yield* Effect.flip(load)
        assert.deepStrictEqual(error.message, `${directory}/c.json: read: larger than 4194304 bytes`)
        writer.kill()
      })))

  it.effect("warns once when others can read its credentials", () => {
    const messages: Array<string> = []
    return inHome(named, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${directory}/c.json`, text)
        yield* fs.chmod(`${directory}/c.json`, 0o600)
        yield* load
        assert.deepStrictEqual(messages, [])
        yield* fs.chmod(`${directory}/c.json`, 0o644)
        yield* load
        yield* load
        assert.deepStrictEqual(messages, ["Configuration file with credentials is readable by other users"])
      }), messages)
  })
})

describe("save", () => {
  const save = Effect.flatMap(ConfigFile, (it) => it.save(config))

  it.effect("makes a file and its directory for the user alone", () =>
    inHome((HOME) => ({ HOME }), (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* save
        const file = `${directory}/.regctl/config.json`
        assert.strictEqual(yield* fs.readFileString(file), text)
        assert.deepStrictEqual([yield* modeOf(file), yield* modeOf(`${directory}/.regctl`)], [0o600, 0o700])
        assert.deepStrictEqual(yield* fs.readDirectory(`${directory}/.regctl`), ["config.json"])
        assert.deepStrictEqual(yield* Effect.flatMap(ConfigFile, (it) => it.load), config)
      })))

  it.effect("keeps the mode of the file it replaces", () =>
    inHome(named, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(`${directory}/c.json`, "{}")
        yield* fs.chmod(`${directory}/c.json`, 0o640)
        yield* save
        assert.strictEqual(yield* modeOf(`${directory}/c.json`), 0o640)
      })))

  for (const exists of [true, false]) {
    it.effect(`replaces a link's target that ${exists ? "exists" : "does not exist"}`, () =>
      inHome(named, (directory) =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          yield* fs.makeDirectory(`${directory}/dots`)
          if (exists) yield* fs.writeFileString(`${directory}/dots/real.json`, "{}")
          yield* fs.symlink("dots/real.json", `${directory}/c.json`)
          yield* save
          assert.strictEqual(yield* fs.readLink(`${directory}/c.json`), "dots/real.json")
          assert.strictEqual(yield* fs.readFileString(`${directory}/dots/real.json`), text)
        })))
  }

  it.effect("leaves one whole file when two write at once", () =>
    inHome(named, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* Effect.all(Array.from({ length: 8 }, () => save), { concurrency: 8 })
        assert.strictEqual(yield* fs.readFileString(`${directory}/c.json`), text)
        assert.deepStrictEqual(yield* fs.readDirectory(directory), ["c.json"])
      })))

  it.effect("never replaces a device", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(inHome(() => ({ REGCTL_CONFIG: "/dev/null" }), () => save))
      assert.strictEqual(error.message, "/dev/null: write: is a device")
    }))

  it.effect("names the file when it cannot be written, and leaves nothing behind", () =>
    inHome(named, (directory) =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/c.json`)
        const error = yield* Effect.flip(save)
        assert.strictEqual(error.message, `${directory}/c.json: write: is a directory`)
        assert.deepStrictEqual(yield* fs.readDirectory(directory), ["c.json"])
      })))
})
