/** JSON documents: manifests, configurations of images and tools, layouts, answers of helpers. */
import { Effect, Result, Sink, Stdio, Stream } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { manifestView } from "../../../src/programs/views/manifest.ts"
import { ConfigError } from "../../../src/schemas/ConfigError.ts"
import { isDigest } from "../../../src/schemas/Digest.ts"
import { decodeDockerConfig } from "../../../src/schemas/DockerConfig.ts"
import { configPlatform, decodeConfig } from "../../../src/schemas/ImageConfig.ts"
import { contentOf, decodeManifest, type Manifest } from "../../../src/schemas/Manifest.ts"
import { parseRef } from "../../../src/schemas/Ref.ts"
import { configDocument, decodeRegctlConfig } from "../../../src/schemas/RegctlConfig.ts"
import { askHelper } from "../../../src/services/credentials/helper.ts"
import { Formatter } from "../../../src/services/Formatter.ts"
import { encodeIndex, layoutProblem, parseIndex, tagsOf } from "../../../src/services/ociLayout/documents.ts"
import { type Family, held, refused, secret } from "./family.ts"

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const manifestType = "application/vnd.oci.image.manifest.v1+json"
const layerType = "application/vnd.oci.image.layer.v1.tar+gzip"

export const manifestSeeds: ReadonlyArray<string> = [
  JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: "application/example",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("a"), size: 752 },
    layers: [
      { mediaType: layerType, digest: digest("b"), size: 583, annotations: { title: "a" } },
      { mediaType: layerType, digest: digest("c"), size: 0, urls: ["https://r.example/x"], data: "aGk=" }
    ],
    subject: { mediaType: manifestType, digest: digest("d"), size: 10 },
    annotations: { "org.example.note": "some text" }
  }),
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [
      {
        mediaType: manifestType,
        digest: digest("a"),
        size: 7,
        platform: { architecture: "arm", os: "linux", variant: "v7" }
      },
      {
        mediaType: manifestType,
        digest: digest("b"),
        size: 8,
        platform: { architecture: "amd64", os: "windows", "os.version": "10.0.1.1", "os.features": ["win32k"] }
      }
    ]
  }),
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "application/vnd.docker.container.image.v1+json", digest: digest("e"), size: 1 },
    layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", digest: digest("f"), size: 2 }]
  }),
  JSON.stringify({
    schemaVersion: 1,
    name: "library/x",
    tag: "v1",
    architecture: "amd64",
    fsLayers: [{ blobSum: digest("a") }, { blobSum: digest("b") }],
    history: [{ v1Compatibility: "{\"id\":\"x\"}" }],
    signatures: [{
      header: { alg: "ES256" },
      signature: "eA",
      protected: "eyJmb3JtYXRMZW5ndGgiOjEwLCJmb3JtYXRUYWlsIjoiQ24wIn0"
    }]
  })
]

const views = {
  ref: Result.getOrThrow(parseRef("registry.example.com/app:v1")),
  formats: [
    "{{printPretty .}}",
    "{{json .}}",
    "{{range .Layers}}{{.Digest}}{{end}}",
    "{{jsonPretty .GetDescriptor}} {{.GetSize}}"
  ]
}

/** What a user would be shown of it fits, and is made without a mistake of ours. */
const shown = (manifest: Manifest) =>
  Effect.gen(function*() {
    const { expand } = yield* Formatter
    const view = manifestView({ ref: views.ref, descriptor: manifest.descriptor, headers: {}, manifest })
    for (const format of views.formats) yield* Effect.catchTag(expand(format, view), "TemplateError", () => Effect.void)
  }).pipe(Effect.provide(Formatter.layer), Effect.provide(Stdio.layerTest({})))

const manifests: Family = {
  name: "manifest",
  form: "json",
  weight: 10,
  seeds: manifestSeeds,
  take: (input) =>
    Effect.gen(function*() {
      const name = "r.example/a:b"
      const manifest = yield* Effect.fromResult(decodeManifest(input, { name }))
      const { bytes, descriptor } = manifest
      yield* shown(manifest)
      return [
        ...(Buffer.compare(bytes, input) === 0 ? [] : ["its bytes are others"]),
        ...(manifest._tag === "Schema1" || descriptor.digest === sha256(input) ? [] : ["its digest does not fit"]),
        ...(descriptor.size === input.length ? [] : ["its size does not fit"]),
        ...contentOf(manifest).flatMap((it) =>
          isDigest(it.digest) && Number.isSafeInteger(it.size) && it.size >= 0 ? [] : ["it lists what cannot be"]
        )
      ]
    })
}

const imageConfigs: Family = {
  name: "image configuration",
  form: "json",
  weight: 6,
  seeds: [
    JSON.stringify({
      created: "2024-01-02T03:04:05Z",
      author: "Ada",
      architecture: "arm64",
      variant: "v8",
      os: "linux",
      "os.features": ["a"],
      config: {
        User: "1:1",
        Env: ["A=1"],
        Cmd: ["a"],
        Labels: { a: "b" },
        ExposedPorts: { "80/tcp": {} },
        Volumes: { "/x": {} }
      },
      rootfs: { type: "layers", diff_ids: [digest("a"), digest("b")] },
      history: [{ created: "2024-01-02T03:04:05Z", created_by: "RUN x", empty_layer: true }]
    })
  ],
  take: (input) =>
    Effect.map(Effect.fromResult(decodeConfig(input)), (config) => {
      configPlatform(config)
      return held
    })
}

const layouts: Family = {
  name: "index.json",
  form: "json",
  weight: 5,
  seeds: [
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        {
          mediaType: manifestType,
          digest: digest("a"),
          size: 7,
          annotations: { "org.opencontainers.image.ref.name": "v1" }
        },
        {
          mediaType: manifestType,
          digest: digest("b"),
          size: 8,
          annotations: { "org.opencontainers.image.ref.name": "r.io/a:v2" }
        }
      ],
      annotations: { a: "b" }
    })
  ],
  take: (input) => {
    const index = parseIndex(input)
    if (Result.isFailure(index)) return refused(index.failure)
    const again = parseIndex(encodeIndex(index.success))
    return Effect.succeed(
      Result.isFailure(again)
        ? [`it cannot be read once written: ${again.failure}`]
        : tagsOf(again.success).join() === tagsOf(index.success).join()
        ? held
        : ["it has other tags once written"]
    )
  }
}

const layoutVersions: Family = {
  name: "oci-layout",
  form: "json",
  weight: 1,
  seeds: ["{\"imageLayoutVersion\":\"1.0.0\"}"],
  take: (input) => {
    const problem = layoutProblem(input)
    return problem === undefined ? Effect.succeed(held) : refused(problem)
  }
}

const auth = Buffer.from(`user:${secret}`).toString("base64")
const dockerConfigs: Family = {
  name: "docker config.json",
  form: "json",
  weight: 5,
  seeds: [
    JSON.stringify(
      {
        auths: {
          "https://index.docker.io/v1/": { auth },
          "r.example:5000": { username: "u", password: secret },
          "gcr.example": { identitytoken: secret },
          "quay.example/team/app": { auth: "dTpw" }
        },
        credHelpers: { "a.example": "pass", "b.example": "ecr-login" },
        credsStore: "desktop",
        proxies: { default: { httpProxy: "http://p:1" } }
      },
      null,
      2
    )
  ],
  take: (input) => {
    const read = decodeDockerConfig(input.toString(), true)
    if (Result.isFailure(read)) return refused(read.failure)
    return Effect.as(
      Effect.forEach(read.success.warnings.slice(0, 20), (it) => Effect.logWarning(it)),
      read.success.warnings.some((it) => it.includes(auth)) ? ["a login is told"] : held
    )
  }
}

const regctlConfigs: Family = {
  name: "regctl config.json",
  form: "json",
  weight: 5,
  seeds: [
    JSON.stringify(
      {
        version: 1,
        hosts: {
          "r.example:5000": {
            tls: "enabled",
            user: "u",
            pass: secret,
            token: secret,
            mirrors: ["m.example"],
            priority: 5,
            blobChunk: 1048576,
            blobMax: -1,
            reqPerSec: 10.5,
            credExpire: "1h0m0s",
            apiOpts: { disableHead: "true" },
            trustedRealms: ["https://auth.example"],
            timeouts: { connect: "10s" }
          },
          "docker.io": { credHelper: "docker-credential-x", repoAuth: true, pathPrefix: "a/b" }
        },
        hostDefault: { reqConcurrent: 3 },
        blobLimit: 1000,
        incDockerCred: false
      },
      null,
      2
    )
  ],
  take: (input) => {
    const read = decodeRegctlConfig(input.toString())
    if (Result.isFailure(read)) return Effect.fail(new ConfigError({ file: "config.json", reason: read.failure }))
    const written = JSON.stringify(configDocument(read.success))
    const again = decodeRegctlConfig(written)
    return Effect.succeed(
      Result.isFailure(again)
        ? [`it cannot be read once written: ${again.failure.detail.slice(0, 200)}`]
        : JSON.stringify(configDocument(again.success)) === written
        ? held
        : ["it reads otherwise once written"]
    )
  }
}

/** A program that prints the input. */
const printing = (input: Buffer) =>
  ChildProcessSpawner.make(() =>
    Effect.succeed(ChildProcessSpawner.makeHandle({
      pid: ChildProcessSpawner.ProcessId(1),
      exitCode: Effect.succeed(ChildProcessSpawner.ExitCode(0)),
      isRunning: Effect.succeed(false),
      kill: () => Effect.void,
      stdin: Sink.drain,
      stdout: Stream.make(new Uint8Array(input)),
      stderr: Stream.empty,
      all: Stream.empty,
      getInputFd: () => Sink.drain,
      getOutputFd: () => Stream.empty,
      unref: Effect.succeed(Effect.void)
    }))
  )

const helpers: Family = {
  name: "credential helper",
  form: "json",
  weight: 2,
  seeds: [
    JSON.stringify({ ServerURL: "r.example", Username: "u", Secret: secret }),
    JSON.stringify({ ServerURL: "r.example", Username: "<token>", Secret: secret })
  ],
  take: (input) =>
    askHelper("docker-credential-x", "r.example").pipe(
      Effect.as(held),
      Effect.provideService(ChildProcessSpawner.ChildProcessSpawner, printing(input))
    )
}

/** Documents that tests of views hold, too. */
const recorded = (): ReadonlyArray<string> => {
  const bodies: Readonly<Record<string, string>> = JSON.parse(
    readFileSync(new URL("../../fixtures/views/bodies.json", import.meta.url), "utf8")
  )
  return Object.values(bodies).filter((it) => it.startsWith("{\"schemaVersion\""))
}

export const documents: ReadonlyArray<Family> = [
  { ...manifests, seeds: [...manifestSeeds, ...recorded()] },
  imageConfigs,
  layouts,
  layoutVersions,
  dockerConfigs,
  regctlConfigs,
  helpers
]
