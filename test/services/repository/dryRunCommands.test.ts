/** Every command that writes, in one dry run after another: what it shows follows from what was not written before. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ConfigProvider, Console, Context, Effect, Exit, Layer, Scope, Sink, Stdio, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { live } from "../../../src/layers/Live.ts"
import { main } from "../../../src/programs/cli/main.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"
import { BuildInfo } from "../../../src/services/BuildInfo.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { dryRepositories } from "../../../src/services/repository/dryRun.ts"
import { umociImage } from "../../support/images.ts"
import { dockerRegistry, type Running, temporary } from "../../support/registries.ts"

const dir = temporary("dry-commands")
const scope = Scope.makeUnsafe()
let registry: Running = {} as Running // set before the first test

let input = ""
const out: Array<string> = []
const printed = (...words: ReadonlyArray<unknown>) => void out.push(`${words.join(" ")}\n`)
const written = Sink.forEach((part: string | Uint8Array) =>
  Effect.sync(() => void out.push(typeof part === "string" ? part : new TextDecoder().decode(part)))
)
const environment = ConfigProvider.fromUnknown({ REGCTL_CONFIG: join(dir.path, "config.json"), HOME: dir.path })

/** One world for all commands, its repositories those of one dry run, or the real ones. */
const layers = Layer.mergeAll(
  live,
  Layer.fresh(Formatter.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(
      BuildInfo.layer,
      Stdio.layerTest({
        stdout: () => written,
        stdin: Stream.suspend(() => Stream.succeed(new TextEncoder().encode(input)))
      })
    ))
  )
).pipe(Layer.provide(ConfigProvider.layer(environment)))
const dry = Layer.effect(Repositories, Effect.flatMap(Repositories, dryRepositories)).pipe(Layer.provideMerge(layers))

type World = Layer.Success<typeof layers>
const worlds: Record<"dry" | "real", Context.Context<World>> = {
  dry: Context.makeUnsafe(new Map()),
  real: Context.makeUnsafe(new Map())
}

const ran = async (world: "dry" | "real", args: ReadonlyArray<string>, stdin = ""): Promise<string> => {
  input = stdin
  out.length = 0
  const context = worlds[world]
  const code = await Effect.runPromise(
    main(regctl, {
      logging: () => Layer.empty,
      local: () => Promise.reject(new Error("commands without a registry are no matter here")),
      everything: () => Promise.resolve(Layer.succeedContext(context)),
      stop: Effect.never
    })(args).pipe(
      Effect.provideService(Console.Console, { ...globalThis.console, log: printed, error: printed }),
      Effect.provideService(ConfigProvider.ConfigProvider, environment)
    )
  )
  assert.strictEqual(code, 0, `${args.join(" ")}: ${out.join("")}`)
  return out.join("").trim()
}
const built = <A, E>(layer: Layer.Layer<A, E>) => Effect.runPromise(Layer.buildWithScope(layer, scope))

/** Every file below the directory with its content. */
const tree = () =>
  execFileSync("sh", ["-c", "find layout -type f | sort | xargs sha256sum"], { cwd: dir.path }).toString()

beforeAll(async () => {
  registry = await dockerRegistry()
  writeFileSync(join(dir.path, "config.json"), JSON.stringify({ hosts: { [registry.host]: { tls: "disabled" } } }))
  await umociImage(dir.path, "v1")
  for (const world of ["dry", "real"] as const) worlds[world] = await built(world === "dry" ? dry : layers)
  await ran("real", ["image", "copy", `ocidir://${dir.path}/layout:v1`, `${registry.host}/app:v1`])
  await ran("real", ["image", "copy", `ocidir://${dir.path}/layout:v1`, `${registry.host}/app:old`])
  await ran("real", ["image", "export", `ocidir://${dir.path}/layout:v1`, join(dir.path, "app.tar")])
})
afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await registry.stop()
  dir.remove()
})

/** What each command shows; `place` is where the image is under `v1` and `old`. */
const everything = async (place: string): Promise<ReadonlyArray<string>> => {
  const digest = await ran("dry", ["manifest", "head", `${place}:v1`])
  const shown: Array<string> = []
  const show = async (...args: ReadonlyArray<string>) => shown.push(`${args[0]} ${args[1]}: ${await ran("dry", args)}`)
  const silent = async (...args: ReadonlyArray<string>) => void await ran("dry", args)

  await silent("image", "copy", `${place}:v1`, `${place}:v2`)
  await show("tag", "ls", place)
  await silent("image", "mod", `${place}:v2`, "--create", `${place}:v3`, "--label", "made=dry")
  await show("image", "inspect", `${place}:v3`, "--format", `{{index .Config.Labels "made"}}`)
  await silent("image", "mod", `${place}:v3`, "--replace", "--layer-strip-file", "/one/one.txt")
  await show("image", "get-file", `${place}:v3`, "/two/two.txt")
  await silent("index", "create", `${place}:all`, "--ref", `${place}:v2`, "--desc-platform", "linux/amd64")
  await silent("index", "add", `${place}:all`, "--ref", `${place}:v3`, "--desc-platform", "linux/arm64")
  await show("manifest", "get", `${place}:all`, "--format", "{{len .Manifests}}")
  await silent("index", "delete", `${place}:all`, "--platform", "linux/arm64")
  await show("manifest", "get", `${place}:all`, "--format", "{{len .Manifests}}")
  const blob = await ran("dry", ["blob", "put", place], "some text")
  shown.push(await ran("dry", ["blob", "get", place, blob]))
  await silent("blob", "delete", place, blob)
  await ran(
    "dry",
    ["artifact", "put", "--artifact-type", "application/vnd.example.note", "--subject", `${place}:v2`],
    "a note"
  )
  await show("artifact", "list", `${place}:v2`, "--format", "{{range .Descriptors}}{{.ArtifactType}}{{end}}")
  await show("artifact", "get", "--subject", `${place}:v2`)
  await silent("image", "import", `${place}:imported`, join(dir.path, "app.tar"))
  await silent("image", "create", `${place}:empty`)
  await silent("repo", "copy", place, `${place}-copy`)
  await show("tag", "ls", `${place}-copy`)
  await silent("tag", "delete", `${place}:old`)
  await show("tag", "ls", place)
  await silent("manifest", "delete", `${place}@${digest}`)
  await show("tag", "ls", place)
  return shown
}

const expected = [
  "tag ls: old\nv1\nv2",
  "image inspect: dry",
  `image get-file: ${"two 1\n".repeat(2_000).trim()}`,
  "manifest get: 2",
  "manifest get: 1",
  "some text",
  "artifact list: application/vnd.example.note",
  "artifact get: a note",
  "tag ls: all\nempty\nimported\nold\nv1\nv2\nv3",
  "tag ls: all\nempty\nimported\nv1\nv2\nv3",
  "tag ls: all\nempty\nv3"
]

describe("a dry run of every command that writes", () => {
  it("sends a registry no write, and reads what it did not write", async () => {
    await registry.requests()
    assert.deepStrictEqual(await everything(`${registry.host}/app`), expected)
    const methods = (await registry.requests()).map(({ method }) => method)
    assert.deepStrictEqual([...new Set(methods)].sort(), ["GET", "HEAD"])
  })

  it("leaves a layout as it is, byte for byte", async () => {
    await ran("real", ["image", "copy", `ocidir://${dir.path}/layout:v1`, `ocidir://${dir.path}/layout:old`])
    const before = tree()
    assert.deepStrictEqual(await everything(`ocidir://${dir.path}/layout`), expected)
    assert.strictEqual(tree(), before)
  })
})
