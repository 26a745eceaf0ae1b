/** Images as builds leave them in a registry: each with a time, labels and tags. */
import { assert } from "@effect/vitest"
import { type Content, contentOf, types } from "./contents.ts"
import { asking, ways } from "./distribution.ts"

export interface Build {
  readonly tags: ReadonlyArray<string>
  /** RFC 3339. */
  readonly created?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly architecture?: string
  /** Added to the manifest. */
  readonly manifest?: Readonly<Record<string, unknown>>
  /** Added to the configuration's `config`. */
  readonly config?: Readonly<Record<string, unknown>>
}

/** So many days before now, to the second, in UTC. */
export const daysAgo = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z")

const pushBlob = async (host: string, repository: string, blob: Content) => {
  const answer = await ways[1]?.[1](asking(() => host), repository, blob)
  assert.strictEqual(answer?.status, 201)
}

/** Pushes by tag, or by digest without one. */
export const putDocument = async (
  host: string,
  repository: string,
  name: string,
  { bytes, descriptor }: Content
): Promise<void> => {
  const type = { "content-type": descriptor.mediaType }
  const answer = await asking(() => host)("PUT", `/v2/${repository}/manifests/${name}`, bytes, type)
  assert.strictEqual(answer.status, 201, answer.bytes.toString())
}

/** Pushes an image of one layer; gives the manifest. Equal builds are one image. */
export const putBuild = async (host: string, repository: string, build: Build): Promise<Content> => {
  const { architecture = "amd64", created, labels = {}, tags } = build
  const layer = contentOf(JSON.stringify([created, labels, build.config ?? null]), types.layer)
  const config = contentOf(
    JSON.stringify({
      ...(created === undefined ? {} : { created }),
      architecture,
      os: "linux",
      config: { Labels: labels, ...build.config },
      rootfs: { type: "layers", diff_ids: [layer.descriptor.digest] },
      history: [{ created_by: "a build" }]
    }),
    types.config
  )
  const manifest = contentOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: config.descriptor,
      layers: [layer.descriptor],
      ...build.manifest
    }),
    types.manifest
  )
  await pushBlob(host, repository, config)
  await pushBlob(host, repository, layer)
  for (const tag of tags.length === 0 ? [manifest.descriptor.digest] : tags) {
    await putDocument(host, repository, tag, manifest)
  }
  return manifest
}

/** An index of images, each of which names its architecture. */
export const putIndex = async (
  host: string,
  repository: string,
  tag: string,
  images: Readonly<Record<string, Content>>,
  more: Readonly<Record<string, unknown>> = {}
): Promise<Content> => {
  const manifests = Object.entries(images).map(([architecture, { descriptor }]) => ({
    ...descriptor,
    platform: { architecture, os: "linux" }
  }))
  const index = contentOf(JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests, ...more }), types.index)
  await putDocument(host, repository, tag, index)
  return index
}

/** An artifact that refers to a manifest, pushed by digest. */
export const putReferrer = async (
  host: string,
  repository: string,
  subject: Content,
  artifactType: string
): Promise<Content> => {
  const empty = contentOf("{}", types.empty)
  await pushBlob(host, repository, empty)
  const { descriptor } = empty
  const artifact = contentOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      artifactType,
      config: descriptor,
      layers: [descriptor],
      subject: subject.descriptor
    }),
    types.manifest
  )
  await putDocument(host, repository, artifact.descriptor.digest, artifact)
  return artifact
}

/** The tags of a repository, sorted; none when it is not there. */
export const tagsAt = async (host: string, repository: string): Promise<ReadonlyArray<string>> => {
  const { bytes } = await asking(() => host)("GET", `/v2/${repository}/tags/list`)
  const list: { readonly tags?: ReadonlyArray<string> | null } = JSON.parse(bytes.toString())
  return [...list.tags ?? []].sort()
}

/** The digest of a tag, or whether a digest is there; null when it is not. */
export const digestAt = async (host: string, repository: string, name: string): Promise<string | null> => {
  const accept = { accept: `${types.manifest}, ${types.index}` }
  const { headers, status } = await asking(() => host)("HEAD", `/v2/${repository}/manifests/${name}`, undefined, accept)
  return status === 200 ? headers.get("docker-content-digest") : null
}
