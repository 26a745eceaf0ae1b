/** Words of command lines: annotations, platforms, times, sizes, types, templates, patterns, settings of hosts. */
import { Effect } from "effect"
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { regctlHere } from "../../support/inProcess.ts"
import { addImage, digestOf, judge, makeLayout, tagAll } from "../../support/layouts.ts"
import { type Family, held, refused, textProblems } from "./family.ts"

const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "mutations-commands-"))
const template = makeLayout(join(root, "template"))
const made = addImage(template, ["one", "two"], { annotations: { a: "b" } })
tagAll(template, { v1: made, "v2.0": made })
const file = join(root, "file")
writeFileSync(file, "content of a file")

interface Place {
  readonly dir: string
  readonly ref: string
  readonly config: string
}

/** Values that the input has, in their order; the places that are read and written stand beside them. */
type Line = (values: ReadonlyArray<string>, place: Place) => ReadonlyArray<string>

/** Flags that get the values. */
const flags = (names: ReadonlyArray<string>, values: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.map((name, at) => `--${name}=${values[at] ?? ""}`)

const separator = "\u0002\n"

const run = (line: Line, input: Buffer) =>
  Effect.gen(function*() {
    const place = join(root, "now")
    cpSync(template, join(place, "layout"), { recursive: true })
    const dir = join(place, "layout")
    const config = join(place, "config.json")
    // No argument of a process has a NUL in it.
    const values = input.toString().replaceAll("\0", "0").split(separator)
    const { code, err } = yield* Effect.promise(() =>
      regctlHere(line(values, { dir, ref: `ocidir://${dir}`, config }), { config, input: "content", times: 1_000 })
    )
    const { problems } = judge(dir)
    rmSync(place, { recursive: true, force: true })
    // Records have a limit each.
    const records = err.split("\n").filter((it) => it.startsWith("time="))
    const told = err.split("\n").filter((it) => !it.startsWith("time=")).join("\n")
    const found = [
      ...(code === 0 || code === 1 ? [] : [`exit status ${code}`]),
      ...(code === 1 && err.trim() === "" ? ["nothing is told"] : []),
      ...(/internal error/.test(err) ? ["an internal error"] : []),
      ...[told, ...records].flatMap((it) => textProblems(it, input)),
      ...problems
    ].map((it) => `${it}: ${JSON.stringify(err.slice(0, 300))}`)
    return found.length > 0 || code === 0 ? found : yield* refused(told)
  })

const command = (name: string, seed: ReadonlyArray<string>, line: Line): Family => ({
  name: `command: ${name}`,
  form: "text",
  weight: 1,
  patience: 3_000,
  seeds: [seed.join(separator)],
  take: (input) => Effect.map(run(line, input), (found) => found.length > 0 ? found : held),
  stop: async () => rmSync(root, { recursive: true, force: true })
})

mkdirSync(join(root, "now"), { recursive: true })

export const commands: ReadonlyArray<Family> = [
  command(
    "image mod",
    ["a=b", "[linux/amd64]x=y", "linux/arm64/v8", "set=2024-01-02T03:04:05Z,after=2020-01-01T00:00:00Z", "A=1"],
    (values, { ref }) => [
      "image",
      "mod",
      `${ref}:v1`,
      "--create=v3",
      ...flags(["annotation", "label", "config-platform", "time", "env"], values)
    ]
  ),
  command(
    "image mod, more",
    ["8080/tcp", "10", "[\"sh\",\"-c\"]", "^RUN x", "/data", "1000:1000"],
    (values, { ref }) => [
      "image",
      "mod",
      `${ref}:v1`,
      "--create=v3",
      ...flags(["expose-add", "data-max", "config-cmd", "buildarg-rm-regex", "volume-add", "user"], values)
    ]
  ),
  command("tag ls", ["v1", "v[0-9.]+", "2", "latest", "{{range .Tags}}{{println .}}{{end}}"], (values, { ref }) => [
    "tag",
    "ls",
    ref,
    ...flags(["last", "include", "limit", "exclude", "format"], values)
  ]),
  command("manifest get", ["{{printPretty .}}", "linux/amd64"], (values, { ref }) => [
    "manifest",
    "get",
    `${ref}:v1`,
    ...flags(["format", "platform"], values)
  ]),
  command("image inspect", ["{{json .}} {{.Config.Env}}", "linux/amd64", "warn"], (values, { ref }) => [
    "image",
    "inspect",
    `${ref}:v1`,
    ...flags(["format", "platform", "verbosity"], values)
  ]),
  command(
    "artifact put",
    ["a=b", "application/example", "application/vnd.example+json", "text/plain", "{{.Manifest.GetDescriptor.Digest}}"],
    (values, { ref }) => [
      "artifact",
      "put",
      `${ref}:v3`,
      `--file=${file}`,
      `--config-file=${file}`,
      ...flags(["annotation", "artifact-type", "config-type", "file-media-type", "format"], values)
    ]
  ),
  command(
    "index create",
    ["a=b", "application/example", "c=d", "linux/arm/v7", made.digest, "application/vnd.oci.image.index.v1+json"],
    (values, { ref }) => [
      "index",
      "create",
      `${ref}:v3`,
      ...flags(["annotation", "artifact-type", "desc-annotation", "desc-platform", "digest", "media-type"], values)
    ]
  ),
  command(
    "image create",
    ["a=b", "2024-01-02T03:04:05Z", "c=d", "linux/amd64", "application/vnd.oci.image.manifest.v1+json"],
    (values, { ref }) => [
      "image",
      "create",
      `${ref}:v3`,
      ...flags(["annotation", "created", "label", "platform", "media-type"], values)
    ]
  ),
  command("blob put", [digestOf("content"), "{{println .Digest}}"], (values, { ref }) => [
    "blob",
    "put",
    ref,
    ...flags(["digest", "format"], values)
  ]),
  command(
    "registry set",
    ["disableHead=true", "1048576", "-1", "m.example:5000", "team", "10.5", "disabled", "r.example:5000"],
    (values) => [
      "registry",
      "set",
      "--skip-check",
      ...flags(["api-opts", "blob-chunk", "blob-max", "mirror", "path-prefix", "req-per-sec", "tls"], values),
      `-v=warn`,
      "--",
      values[7] ?? "r.example"
    ]
  ),
  command("host", ["reg=r.example,user=u,tls=disabled", "a/b:{{.}}"], (values) => [
    "ref",
    ...flags(["host"], values),
    "--",
    values[1] ?? "a"
  ])
]
