/** Images drawn at random: of one platform or several, with layers in common, referrers and digest tags. */
import { bytesOf } from "../support/copies.ts"
import { digestOf, type Repository } from "../support/quirky.ts"
import type { Random } from "./campaign.ts"

const families = [
  {
    index: "application/vnd.oci.image.index.v1+json",
    image: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar"
  },
  {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    image: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip"
  }
] as const
const [oci] = families

export interface Named {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export interface Drawn {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
  /** Digest by platform, none where the image is one image. */
  readonly platforms: Readonly<Record<string, string>>
  readonly referrers: ReadonlyArray<string>
  /** Tags such as `sha256-<digest>.sig`. */
  readonly digestTags: ReadonlyArray<string>
}

export const blobIn = ({ blobs }: Repository, mediaType: string, content: Buffer): Named => {
  const digest = digestOf(content)
  blobs.set(digest, content)
  return { mediaType, digest, size: content.length }
}

export const manifestIn = ({ manifests }: Repository, mediaType: string, document: object): Named => {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }))
  const digest = digestOf(bytes)
  manifests.set(digest, { type: mediaType, bytes })
  return { mediaType, digest, size: bytes.length }
}

/** Small ones, ones that go in chunks, now and then one that is streamed. */
const sizeOf = (random: Random): number => {
  const draw = random.next()
  if (draw < 0.03) return 1_100_000 + random.below(200_000)
  return draw < 0.25 ? 70_000 + random.below(100_000) : random.below(5_000)
}

/** Adds an image under a tag, with what refers to it. */
export const drawImage = (repository: Repository, tag: string, random: Random, hasReferrers: boolean): Drawn => {
  const types = random.chance(0.15) ? families[1] : oci
  const layer = (): Named => {
    const known = [...repository.blobs].filter(([, content]) => content[0] !== 0x7b)
    if (known.length > 0 && random.chance(0.35)) {
      const [digest, content] = random.pick(known)
      return { mediaType: types.layer, digest, size: content.length }
    }
    return blobIn(repository, types.layer, bytesOf(random.below(2 ** 31), sizeOf(random)))
  }
  const image = (architecture: string) =>
    manifestIn(repository, types.image, {
      config: blobIn(
        repository,
        types.config,
        Buffer.from(JSON.stringify({ architecture, os: "linux", salt: random.below(2 ** 31) }))
      ),
      layers: Array.from({ length: 1 + random.below(3) }, layer)
    })
  const architectures = ["amd64", "arm64", "s390x"].slice(0, 1 + random.below(3))
  const isIndex = random.chance(0.5)
  const images = isIndex ? architectures.map(image) : []
  const found = isIndex
    ? manifestIn(repository, types.index, {
      manifests: images.map((it, at) => ({ ...it, platform: { os: "linux", architecture: architectures[at] } }))
    })
    : image("amd64")
  repository.tags.set(tag, found.digest)
  const referrers = random.chance(0.3) ? refer(repository, found, 1 + random.below(2), hasReferrers) : []
  return {
    ...found,
    platforms: Object.fromEntries(images.map(({ digest }, at) => [`linux/${architectures[at]}`, digest])),
    referrers,
    digestTags: random.chance(0.2) ? [signed(repository, found)] : []
  }
}

const empty = (repository: Repository) => blobIn(repository, "application/vnd.oci.empty.v1+json", Buffer.from("{}"))

/** Where a registry lists no referrers, a tag does. */
const refer = (repository: Repository, subject: Named, count: number, hasReferrers: boolean): ReadonlyArray<string> => {
  const artifactType = "application/vnd.example.report"
  const made = Array.from({ length: count }, (_, at) =>
    manifestIn(repository, oci.image, {
      artifactType,
      config: empty(repository),
      layers: [blobIn(repository, "text/plain", Buffer.from(`report ${at} of ${subject.digest}`))],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size }
    }))
  if (!hasReferrers) {
    const { digest } = manifestIn(repository, oci.index, { manifests: made.map((it) => ({ ...it, artifactType })) })
    repository.tags.set(subject.digest.replace(":", "-"), digest)
  }
  return made.map(({ digest }) => digest)
}

const signed = (repository: Repository, subject: Named): string => {
  const { digest } = manifestIn(repository, oci.image, {
    config: empty(repository),
    layers: [blobIn(repository, "text/plain", Buffer.from(`signature of ${subject.digest}`))]
  })
  const tag = `${subject.digest.replace(":", "-")}.sig`
  repository.tags.set(tag, digest)
  return tag
}
