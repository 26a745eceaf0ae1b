/** Images in memory, changed by options as on a command line, and what they are afterwards. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Result } from "effect"
import { parseChanges } from "../../../src/programs/mod/parse.ts"
import { rewrite } from "../../../src/programs/mod/rewrite.ts"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import type { Manifest } from "../../../src/schemas/Manifest.ts"
import { parseRef, type Ref, type Reference, Tag } from "../../../src/schemas/Ref.ts"
import type { StoreError } from "../../../src/schemas/StoreError.ts"
import { collect, fromBytes } from "../../../src/services/Bytes.ts"
import { Progress } from "../../../src/services/Progress.ts"
import { RateLimiter } from "../../../src/services/RateLimiter.ts"
import type { Repository } from "../../../src/services/Repository.ts"
import { decode, descriptorOf, encode, manifestOf } from "../../fixtures/content.ts"
import { byDigest, byTag } from "../../fixtures/images.ts"
import { inMemory } from "../../support/memory.ts"

export const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar.gzip"
}

export const name = "registry.example/app"
const refOf = (text: string): Ref => Result.getOrThrow(parseRef(text))

const unlimited = RateLimiter.of({
  admit: () => (effect) => effect,
  enter: () => Effect.void,
  spare: () => () => Effect.succeedNone,
  observe: () => Effect.void,
  quota: () => Effect.succeedNone
})

type Fields = Readonly<Record<string, unknown>>

export interface Parts {
  /** Fields of the configuration besides what it runs on and its layers. */
  readonly config?: Fields
  readonly architecture?: string
  readonly manifest?: Fields
  readonly layers?: ReadonlyArray<string>
}

/** `["annotation=a=b", "to-oci"]` is `--annotation a=b --to-oci`. */
const occurrencesOf = (options: ReadonlyArray<string>) =>
  options.map((it) => {
    const at = it.indexOf("=")
    if (at < 0) return [it, "true"] as const
    return [it.slice(0, at), it.slice(at + 1)] as const
  })

export interface Seen {
  readonly manifest: Manifest
  readonly text: string
  // Documents as JSON has them, of which tests take what they look for.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly document: any
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly config: any
}

export const makeWorld = () => {
  const { at, layer } = inMemory()
  const repository = at(name)

  const blob = (content: string, mediaType: string, to = repository) =>
    Effect.map(
      to.putBlob(fromBytes(encode(content)), descriptorOf(encode(content), mediaType)),
      (it): Descriptor => it
    )

  const put = (document: Fields, tag?: string) => {
    const manifest = manifestOf(JSON.stringify({ schemaVersion: 2, ...document }))
    return Effect.map(
      repository.putManifest(manifest, tag === undefined ? {} : { tag: Tag.make(tag) }),
      ({ digest, mediaType, size }): Descriptor => ({ mediaType, digest, size })
    )
  }

  /** An image, and its entry in an index. */
  const image = Effect.fnUntraced(function*({ architecture = "amd64", config, layers, manifest }: Parts, tag?: string) {
    const texts = layers ?? ["one", "two"]
    const document = {
      architecture,
      os: "linux",
      ...config,
      rootfs: { type: "layers", diff_ids: texts.map((it) => descriptorOf(encode(`tar ${it}`)).digest) }
    }
    const pushed = yield* put({
      mediaType: types.manifest,
      config: yield* blob(JSON.stringify(document), types.config),
      layers: yield* Effect.forEach(texts, (it) => blob(it, types.layer)),
      ...manifest
    }, tag)
    return { ...pushed, platform: { architecture, os: "linux" } }
  })

  const index = (manifests: ReadonlyArray<unknown>, tag: string, more: Fields = {}) =>
    put({ mediaType: types.index, manifests, ...more }, tag)

  /** Runs options on a tag; the result is pushed as `out`, unless told otherwise. */
  const mod = (tag: string, options: ReadonlyArray<string>, target = `${name}:out`) => {
    const source = refOf(`${name}:${tag}`)
    return Effect.flatMap(
      parseChanges(occurrencesOf(options), source),
      (changes) => rewrite(source, refOf(target), changes)
    ).pipe(
      Effect.provideService(RateLimiter, unlimited),
      Effect.provide([layer, Progress.layerSilent, NodeServices.layer])
    )
  }

  /** The message of its failure. */
  const refusal = (tag: string, ...options: ReadonlyArray<string>) =>
    Effect.map(Effect.flip(mod(tag, options)), ({ message }) => message)

  const documentOf = (manifest: Manifest) => JSON.parse(decode(manifest.bytes))

  /** The manifest behind a tag or digest, and its configuration, as documents. */
  const look = Effect.fnUntraced(function*(
    reference: Reference,
    from: Repository = repository
  ): Effect.fn.Return<Seen, StoreError> {
    const manifest = yield* from.manifest(reference)
    const config = manifest._tag === "Image"
      ? JSON.parse(decode(yield* collect(from.blob(manifest.config), 1_000_000)))
      : undefined
    return { manifest, document: documentOf(manifest), text: decode(manifest.bytes), config }
  })

  const out = look(byTag("out"))
  const children = Effect.flatMap(
    out,
    ({ manifest }) =>
      Effect.forEach(manifest._tag === "Index" ? manifest.manifests : [], ({ digest }) => look(byDigest(digest)))
  )

  /** The document of a changed image's configuration. */
  const configAfter = (tag: string, ...options: ReadonlyArray<string>) =>
    Effect.map(Effect.andThen(mod(tag, options), out), ({ config }) => config)

  return { at, blob, children, configAfter, image, index, look, mod, out, put, refusal, repository }
}
