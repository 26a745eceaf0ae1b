/** An embedded registry in memory for tests, and how they talk to it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, References, Stream } from "effect"
import { createHash } from "node:crypto"
import { connect } from "node:net"
import { layer as listener } from "../../../src/layers/Server.ts"
import { serve, type ServedRequest, type ServeOptions } from "../../../src/programs/serve/start.ts"
import { Archive } from "../../../src/services/Archive.ts"
import { OciLayout } from "../../../src/services/OciLayout.ts"
import { Registry } from "../../../src/services/Registry.ts"
import { Repositories } from "../../../src/services/Repositories.ts"
import { memoryStore } from "../../../src/services/repository/memory.ts"

/** Repositories in memory. */
export const memoryLayer = Layer.suspend(() => {
  const store = memoryStore()
  return Layer.succeed(Repositories, Repositories.of({ open: (location) => Effect.succeed(store.open(location)) }))
})

const unreachable = Layer.succeed(
  Registry,
  Registry.of({ open: () => Effect.die("none"), list: () => Stream.die("none"), ping: () => Effect.die("none") })
)

/** Repositories in layouts. */
export const layoutsLayer = Repositories.layer.pipe(
  Layer.provide([OciLayout.layer, Archive.layer, unreachable]),
  Layer.provide(NodeServices.layer)
)

/** What was asked is kept, in order. */
const startServer = (options: ServeOptions) =>
  Effect.suspend(() => {
    const requests: Array<ServedRequest> = []
    const onRequest = (request: ServedRequest) => {
      requests.push(request)
      options.onRequest?.(request)
    }
    return Effect.map(serve({ ...options, onRequest }), (url) => ({ url, requests }))
  })

/** A server for the rest of the scope, silent, over some repositories, whose layer lives as long. */
export const serving = (options: ServeOptions = {}, repositories: Layer.Layer<Repositories> = memoryLayer) =>
  Effect.flatMap(
    Layer.build(Layer.mergeAll(listener, NodeServices.layer, repositories)),
    (context) =>
      startServer(options).pipe(
        Effect.provideContext(context),
        Effect.provideService(References.MinimumLogLevel, "None")
      )
  )

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
  /** Error codes of the body. */
  readonly codes: ReadonlyArray<string>
}

export const ask = (url: string, init: RequestInit & { readonly duplex?: "half" } = {}) =>
  Effect.promise(async (): Promise<Answer> => {
    const response = await fetch(url, { redirect: "manual", ...init })
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString("utf8")
    return { status: response.status, headers: response.headers, bytes, text, codes: codesOf(text) }
  })

const codesOf = (text: string): ReadonlyArray<string> => {
  try {
    const body: { readonly errors?: ReadonlyArray<{ readonly code: string }> } = JSON.parse(text)
    return (body.errors ?? []).map(({ code }) => code)
  } catch {
    return []
  }
}

/** Sends bytes as they are and gives all that comes back until the server closes, or `until` appears. */
export const raw = (url: string, text: string, until?: string) =>
  Effect.promise(() =>
    new Promise<string>((resolve) => {
      const { hostname, port } = new URL(url)
      let received = ""
      const socket = connect(Number(port), hostname, () => socket.write(text))
      socket.on("data", (part) => {
        received += part.toString("latin1")
        if (until !== undefined && received.includes(until)) socket.destroy()
      })
      socket.on("error", () => {})
      socket.on("close", () => resolve(received))
    })
  )

export const digestOf = (content: string | Uint8Array, algorithm = "sha256"): string =>
  `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`

export const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar"
}

export const describing = (content: string, mediaType: string) => ({
  mediaType,
  digest: digestOf(content),
  size: content.length
})

/** The text of an image of one config and some layers. */
export const imageOf = (config: string, layers: ReadonlyArray<string>, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: describing(config, types.config),
    layers: layers.map((layer) => describing(layer, types.layer)),
    ...more
  })

export const pushBlob = (url: string, name: string, content: string | Uint8Array<ArrayBuffer>) =>
  ask(`${url}/v2/${name}/blobs/uploads/?digest=${digestOf(content)}`, { method: "POST", body: content })

export const pushManifest = (
  url: string,
  name: string,
  reference: string,
  body: string,
  headers: Record<string, string> = {}
) =>
  ask(`${url}/v2/${name}/manifests/${reference}`, {
    method: "PUT",
    body,
    headers: { "content-type": types.manifest, ...headers }
  })

/** An image of two blobs under a tag; gives its text. */
export const pushImage = (url: string, name: string, tag: string, content = "layer", more = {}) =>
  Effect.gen(function*() {
    const image = imageOf("{}", [content], more)
    yield* pushBlob(url, name, "{}")
    yield* pushBlob(url, name, content)
    yield* pushManifest(url, name, tag, image)
    return image
  })
