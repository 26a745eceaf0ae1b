import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld, name } from "./images.ts"

const base = [
  { created: "2021-01-01T00:00:00Z", created_by: "ADD rootfs" },
  { created: "2021-01-01T00:00:01.5Z", created_by: "ENV A=b", empty_layer: true },
  { created: "2021-01-01T00:00:02Z", created_by: "RUN passwd" }
]
const history = [
  ...base,
  { created: "2022-01-01T00:00:00Z", created_by: "ARG V=1", empty_layer: true },
  { created_by: "RUN undated", empty_layer: true },
  { created: "2022-01-01T00:00:01Z", created_by: "COPY app" }
]
const config = { created: "2022-01-01T00:00:02Z", config: { Labels: { built: "2022-02-02T02:02:02Z" } }, history }

const timesAfter = (...options: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { configAfter, image, index } = makeWorld()
    yield* index([yield* image({ config: { history: base } })], "base")
    yield* image({ config, layers: ["one", "two", "three"] }, "v1")
    const { created, history } = yield* configAfter("v1", ...options)
    return [created, ...history.map((it: { readonly created?: string }) => it.created)]
  })

const set = "2020-01-01T00:00:00Z"

describe("times of a configuration", () => {
  it.effect("are set, but for those that are absent", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* timesAfter(`config-time=set=${set}`), [set, set, set, set, set, undefined, set])
    }))

  it.effect("keep the offset and the fraction of the time that was given", () =>
    Effect.gen(function*() {
      const [created] = yield* timesAfter("config-time=set=2020-01-01T00:00:00.120+02:00")
      assert.strictEqual(created, "2020-01-01T00:00:00.12+02:00")
    }))

  it.effect("change only when later than `after`", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* timesAfter(`config-time=set=${set},after=2022-01-01T00:00:00Z`), [
        set,
        "2021-01-01T00:00:00Z",
        "2021-01-01T00:00:01.5Z",
        "2021-01-01T00:00:02Z",
        "2022-01-01T00:00:00Z",
        undefined,
        set
      ])
    }))

  it.effect("have a greatest one with the flag for that", () =>
    Effect.gen(function*() {
      const max = "2022-01-01T00:00:00Z"
      const times = yield* timesAfter(`config-time-max=${max}`)
      assert.deepStrictEqual([times[0], times[1], times[6]], [max, "2021-01-01T00:00:00Z", max])
    }))

  it.effect("of the base stay, as counted in layers or found in the base image", () =>
    Effect.gen(function*() {
      const old = ["2021-01-01T00:00:00Z", "2021-01-01T00:00:01.5Z", "2021-01-01T00:00:02Z"]
      assert.deepStrictEqual(yield* timesAfter(`config-time=set=${set},base-layers=2`), [
        set,
        ...old,
        set,
        undefined,
        set
      ])
      assert.deepStrictEqual(
        yield* timesAfter(`config-time=set=${set},base-layers=1`),
        [set, old[0], set, set, set, undefined, set]
      )
      assert.deepStrictEqual(
        yield* timesAfter(`config-time=set=${set},base-ref=${name}:base`),
        [set, ...old, set, undefined, set]
      )
    }))

  it.effect("come from a label, also one that an option before sets", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* timesAfter("config-time=from-label=built"))[0], "2022-02-02T02:02:02Z")
      assert.strictEqual((yield* timesAfter(`label=own=${set}`, "config-time=from-label=own"))[0], set)
    }))

  it.effect("need a time, and a label that says one", () =>
    Effect.gen(function*() {
      const { image, index, refusal } = makeWorld()
      const other = { config: { Labels: { built: "2023-02-02T02:02:02Z", bad: "x" } } }
      const entries = [yield* image({ config }), yield* image({ architecture: "arm64", config: other, layers: ["a"] })]
      yield* index(entries, "v1")
      assert.strictEqual(yield* refusal("v1", `config-time=after=${set}`), "WithConfigTimestamp requires a time to set")
      assert.strictEqual(yield* refusal("v1", "config-time=from-label=nope"), "label not found: nope")
      assert.strictEqual(
        yield* refusal("v1", "config-time=from-label=built"),
        "conflicting time labels found 2022-02-02 02:02:02 +0000 UTC and 2023-02-02 02:02:02 +0000 UTC"
      )
      assert.strictEqual(yield* refusal("v1", "config-time=from-label=bad"), "label not found: bad")
    }))

  it.effect("an image of no platform needs no label", () =>
    Effect.gen(function*() {
      const { children, image, index, mod } = makeWorld()
      const nowhere = {
        architecture: "unknown",
        config: { os: "unknown", created: "2022-01-01T00:00:00Z" },
        layers: ["a"]
      }
      yield* index([yield* image({ config }), yield* image(nowhere)], "v1")
      yield* mod("v1", ["config-time=from-label=built"])
      assert.deepStrictEqual((yield* children).map((it) => it.config.created), [
        "2022-02-02T02:02:02Z",
        "2022-02-02T02:02:02Z"
      ])
    }))

  it.effect("a base without the platform is refused", () =>
    Effect.gen(function*() {
      const { image, index, refusal } = makeWorld()
      yield* index([yield* image({}), yield* image({ architecture: "s390x", layers: ["s"] })], "base")
      yield* image({ architecture: "arm64", config }, "v1")
      assert.strictEqual(
        yield* refusal("v1", `config-time=set=${set},base-ref=${name}:base`),
        "failed to get base image config: failed to get manifest: platform not found: linux/arm64"
      )
      assert.match(
        yield* refusal("v1", `config-time=set=${set},base-ref=${name}:none`),
        /^failed to get base image config: failed to get manifest: .*not found/
      )
    }))

  it.effect("are refused when they are no times", () =>
    Effect.gen(function*() {
      const { refusal } = makeWorld()
      const problems: ReadonlyArray<readonly [value: string, reason: string]> = [
        ["", "parameter without a value: "],
        ["set", "parameter without a value: set"],
        ["foo=1,bar=2", "unknown time option: bar, foo"],
        [
          "set=foo",
          `set time must be formatted 2006-01-02T15:04:05Z07:00: parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"`
        ],
        ["base-layers=x", `unable to parse base layer count: strconv.Atoi: parsing "x": invalid syntax`],
        ["base-ref=A:", `failed to parse base ref: invalid reference "A:"`]
      ]
      for (const [value, reason] of problems) {
        const frame = `invalid argument ${JSON.stringify(value)} for "--config-time" flag: `
        assert.strictEqual(yield* refusal("v1", `config-time=${value}`), frame + reason)
      }
      assert.strictEqual(
        yield* refusal("v1", `file-tar-time=set=${set}`),
        `invalid argument "set=${set}" for "--file-tar-time" flag: filename must be included`
      )
      assert.strictEqual(
        yield* refusal("v1", "file-tar-time-max=x"),
        `invalid argument "x" for "--file-tar-time-max" flag: filename and timestamp both required, comma separated`
      )
    }))
})

const argsAfter = (steps: ReadonlyArray<unknown>, ...options: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { configAfter, image } = makeWorld()
    yield* image({ config: { history: steps }, layers: ["a"] }, "v1")
    const { history } = yield* configAfter("v1", ...options)
    return history.map((it: { readonly created_by?: string }) => it.created_by)
  })

const empty = (step: string) => ({ created_by: step, empty_layer: true })
const run = (step: string) => ({ created_by: step })

describe("build arguments", () => {
  it.effect("leave the history, and the steps that ran with them", () =>
    Effect.gen(function*() {
      const steps = [
        empty("ARG V=1.2"),
        empty("ARG W"),
        empty("ARG VX=1"),
        run("RUN |2 V=1.2 W=x /bin/sh -c make V=1.2")
      ]
      assert.deepStrictEqual(yield* argsAfter(steps, "buildarg-rm=V=1.2"), [
        "ARG W",
        "ARG VX=1",
        "RUN |1  W=x /bin/sh -c make V=1.2"
      ])
      assert.deepStrictEqual(yield* argsAfter(steps, "buildarg-rm=V=1.2", "buildarg-rm=W=x"), [
        "ARG VX=1",
        "RUN /bin/sh -c make V=1.2"
      ])
    }))

  it.effect("are not looked for without end in a step made to be searched", () =>
    Effect.gen(function*() {
      const step = `RUN |1 ${"a= ".repeat(300_000)}`
      const after = yield* argsAfter([run(step)], "buildarg-rm-regex=a=b+")
      assert.isTrue(after[0] === step)
    }))

  it.effect("have values with spaces, or ones that an expression matches as a whole", () =>
    Effect.gen(function*() {
      const steps = [run("RUN |2 X=a b V=1.2 /bin/sh -c make")]
      assert.deepStrictEqual(yield* argsAfter(steps, "buildarg-rm=X=a b"), ["RUN |1  V=1.2 /bin/sh -c make"])
      assert.deepStrictEqual(yield* argsAfter(steps, "buildarg-rm-regex=V=1.*"), ["RUN |1 X=a b  /bin/sh -c make"])
      assert.deepStrictEqual(yield* argsAfter(steps, "buildarg-rm-regex=V=1"), ["RUN |2 X=a b V=1.2 /bin/sh -c make"])
    }))

  it.effect("are refused without a value, or with an expression that is none", () =>
    Effect.gen(function*() {
      const { refusal } = makeWorld()
      assert.strictEqual(
        yield* refusal("v1", "buildarg-rm=V"),
        `invalid argument "V" for "--buildarg-rm" flag: arg must be in the format "name=value"`
      )
      assert.strictEqual(
        yield* refusal("v1", "buildarg-rm-regex=V"),
        `invalid argument "V" for "--buildarg-rm-regex" flag: arg must be in the format "name=regex"`
      )
      assert.strictEqual(
        yield* refusal("v1", "buildarg-rm-regex=V=["),
        `invalid argument "V=[" for "--buildarg-rm-regex" flag: regexp value is invalid: error parsing regexp: missing closing ]: \`[\``
      )
    }))
})
