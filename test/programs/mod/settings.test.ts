import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld } from "./images.ts"

const settings = {
  User: "app",
  ExposedPorts: { "80/tcp": {} },
  Env: ["PATH=/bin", "A=b"],
  Entrypoint: ["/entry"],
  Cmd: ["/run"],
  Volumes: { "/data": {} },
  WorkingDir: "/app",
  Labels: { version: "1.2" }
}

/** An image with these settings, and its settings after some options. */
const after = (...options: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { configAfter, image } = makeWorld()
    yield* image({ config: { author: "me", config: settings } }, "v1")
    return (yield* configAfter("v1", ...options)).config
  })

describe("settings of an image", () => {
  it.effect("a variable is set in its place, added at the end, or deleted", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* after("env=PATH=/usr/bin", "env=NEW=x=y")).Env, [
        "PATH=/usr/bin",
        "A=b",
        "NEW=x=y"
      ])
      assert.deepStrictEqual((yield* after("env=PATH=", "env=B=")).Env, ["A=b"])
    }))

  it.effect("a label is set or deleted", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* after("label=b=1", "label=a=<x>")).Labels, { a: "<x>", b: "1", version: "1.2" })
      assert.isUndefined((yield* after("label=version=")).Labels)
    }))

  it.effect("a command is a JSON array, or a line for the shell; an empty one is none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* after(`config-cmd=["a","b"]`)).Cmd, ["a", "b"])
      assert.deepStrictEqual((yield* after("config-cmd=a b")).Cmd, ["/bin/sh", "-c", "a b"])
      assert.deepStrictEqual((yield* after(`config-cmd=["a",1]`)).Cmd, ["/bin/sh", "-c", `["a",1]`])
      assert.isUndefined((yield* after("config-cmd=")).Cmd)
      assert.isUndefined((yield* after("config-entrypoint=")).Entrypoint)
      assert.deepStrictEqual((yield* after("config-entrypoint=[\"x\"]")).Entrypoint, ["x"])
    }))

  it.effect("user and working directory are replaced or deleted", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* after("user=1000:1000")).User, "1000:1000")
      assert.isUndefined((yield* after("user=")).User)
      assert.strictEqual((yield* after("workdir=/x")).WorkingDir, "/x")
    }))

  it.effect("ports and volumes come and go", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* after("expose-add=443/tcp")).ExposedPorts, { "443/tcp": {}, "80/tcp": {} })
      assert.isUndefined((yield* after("expose-rm=80/tcp")).ExposedPorts)
      assert.deepStrictEqual((yield* after("volume-add=/more", "volume-rm=/data")).Volumes, { "/more": {} })
    }))

  it.effect("author and platform are those of the configuration, not of its settings", () =>
    Effect.gen(function*() {
      const { configAfter, image } = makeWorld()
      yield* image({ config: { author: "me", variant: "v3", config: settings } }, "v1")
      assert.strictEqual((yield* configAfter("v1", "author=you")).author, "you")
      const { architecture, os, variant } = yield* configAfter("v1", "config-platform=linux/arm64")
      assert.deepStrictEqual([os, architecture, variant], ["linux", "arm64", undefined])
    }))

  it.effect("a platform prefix means the images that say they run there", () =>
    Effect.gen(function*() {
      const { children, image, index, mod } = makeWorld()
      const entries = [yield* image({ config: {} }), yield* image({ architecture: "arm64", layers: ["x"] })]
      yield* index(entries, "v1")
      yield* mod("v1", ["user=[linux/arm64]one", "env=[*]E=1", "label=[linux/amd64,linux/arm64]l=1", "workdir=/w"])
      assert.deepStrictEqual((yield* children).map((it) => it.config.config), [
        { Env: ["E=1"], WorkingDir: "/w", Labels: { l: "1" } },
        { User: "one", Env: ["E=1"], WorkingDir: "/w", Labels: { l: "1" } }
      ])
    }))

  it.effect("an artifact has none, and stays as it is", () =>
    Effect.gen(function*() {
      const { blob, mod, out, put } = makeWorld()
      const config = yield* blob("{}", "application/vnd.oci.empty.v1+json")
      const { digest } = yield* put(
        { mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers: [] },
        "v1"
      )
      yield* mod("v1", ["env=A=b", "author=x", "label=a=b", "config-time=set=2020-01-01T00:00:00Z", "buildarg-rm=A=b"])
      assert.strictEqual((yield* out).manifest.descriptor.digest, digest)
    }))

  it.effect("keys that nobody knows stay, in the place of extensions", () =>
    Effect.gen(function*() {
      const { image, mod, out } = makeWorld()
      yield* image({ config: { custom: { z: 1, a: 2 } }, manifest: { note: "x" }, layers: [] }, "v1")
      yield* mod("v1", ["author=me", "annotation=a=b"])
      const { config, text } = yield* out
      assert.deepStrictEqual(Object.keys(config), ["author", "architecture", "os", "rootfs", "custom"])
      assert.match(text, /"annotations":\{"a":"b"\},"note":"x"\}$/)
    }))

  it.effect("values that cannot be are named with their flag before anything is read", () =>
    Effect.gen(function*() {
      const { refusal } = makeWorld()
      assert.strictEqual(
        yield* refusal("absent", "config-platform=linux/x!"),
        `invalid argument "linux/x!" for "--config-platform" flag: invalid platform component x! in linux/x!`
      )
      assert.strictEqual(
        yield* refusal("absent", "to-oci=maybe"),
        `invalid argument "maybe" for "--to-oci" flag: unable to parse value maybe: strconv.ParseBool: parsing "maybe": invalid syntax`
      )
      assert.strictEqual(
        yield* refusal("absent", "data-max=x"),
        `invalid argument "x" for "--data-max" flag: unable to parse layer size x: strconv.ParseInt: parsing "x": invalid syntax`
      )
    }))

  it.effect("a platform prefix that cannot be read fails once the image is there", () =>
    Effect.gen(function*() {
      const { image, refusal } = makeWorld()
      yield* image({}, "v1")
      for (const option of ["env", "label", "user", "workdir"]) {
        assert.strictEqual(
          yield* refusal("v1", `${option}=[linux/invalid.arch!]a=b`),
          `failed to mod ${option}: failed to parse platform linux/invalid.arch!: invalid platform component invalid.arch! in linux/invalid.arch!`
        )
      }
      assert.match(yield* refusal("v1", "annotation=[]a=b"), /^failed to mod annotations: failed to parse platform : /)
    }))
})
