/** Where a command reads or writes, and what is there, seen by a reader that shares no code with the product. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { tarOf } from "../support/archives.ts"
import { judge, makeLayout } from "../support/layouts.ts"
import { digestOf, emptyRepository, type Repository, type Started } from "../support/quirky.ts"
import { fetched, flawsOf } from "./brokenRegistries.ts"

export interface Seen {
  readonly repository: Repository
  /** What breaks an invariant whatever the command was. */
  readonly flaws: ReadonlyArray<string>
}

export interface Place {
  readonly kind: string
  /** A reference without its tag. */
  readonly name: string
  readonly see: () => Promise<Seen>
}

export const registryPlace = (registry: Started, name: string): Place => ({
  kind: "registry",
  name: `${registry.host}/${name}`,
  see: async () => {
    const { blobs, manifests, tags } = registry.repository(name)
    const repository = { blobs: new Map(blobs), manifests: new Map(manifests), tags: new Map(tags) }
    const incomplete = registry.incomplete.filter((it) => it.startsWith(`${name}:`))
    return { repository, flaws: [...flawsOf(repository, digestOf), ...incomplete.map((it) => `once, ${it} (D1)`)] }
  }
})

/** A real server: seen at its own address, used at that of the faults before it. */
export const servedPlace = (front: Started, host: string, name: string): Place => ({
  kind: "regctl serve",
  name: `${front.host}/${name}`,
  see: async () => {
    const repository = await fetched(host, name)
    return { repository, flaws: flawsOf(repository, digestOf) }
  }
})

export const layoutPlace = (dir: string): Place => ({
  kind: "layout",
  name: `ocidir://${dir}`,
  see: async () => {
    const repository = emptyRepository()
    if (!existsSync(dir)) return { repository, flaws: [] }
    const { extra, problems, tags } = judge(dir)
    for (const [tag, digest] of Object.entries(tags)) repository.tags.set(tag, digest)
    const blobs = join(dir, "blobs/sha256")
    for (const file of existsSync(blobs) ? readdirSync(blobs) : []) sort(repository, readFileSync(join(blobs, file)))
    const left = extra.filter((it) => !/^blobs\/sha256\/[0-9a-f]{64}$/.test(it))
    return { repository, flaws: [...problems, ...left.map((it) => `${it} is left over`)] }
  }
})

/** Puts bytes where they belong: documents of a manifest's type are manifests. */
const sort = ({ blobs, manifests }: Repository, bytes: Buffer): void => {
  const digest = digestOf(bytes)
  const type = bytes[0] === 0x7b ? /"mediaType":"([^"]+)"/.exec(bytes.toString("latin1", 0, 200))?.[1] ?? "" : ""
  if (/manifest|index/.test(type)) manifests.set(digest, { type, bytes })
  blobs.set(digest, bytes)
}

const indexOf = ({ manifests, tags }: Repository) =>
  JSON.stringify({
    schemaVersion: 2,
    manifests: [...tags].map(([tag, digest]) => {
      const found = manifests.get(digest)
      return {
        mediaType: found?.type,
        digest,
        size: found?.bytes.length,
        annotations: { "org.opencontainers.image.ref.name": tag }
      }
    })
  })

const contentOf = ({ blobs, manifests }: Repository): ReadonlyArray<readonly [string, Buffer]> => [
  ...blobs,
  ...[...manifests].map(([digest, { bytes }]) => [digest, bytes] as const)
]

/** A repository as a layout. */
export const writeLayout = (dir: string, repository: Repository): void => {
  makeLayout(dir)
  writeFileSync(join(dir, "index.json"), indexOf(repository))
  for (const [digest, bytes] of contentOf(repository))
    writeFileSync(join(dir, "blobs", digest.replace(":", "/")), bytes)
}

/** A repository as a tar with a layout in it. */
export const writeTar = (file: string, repository: Repository): void =>
  writeFileSync(
    file,
    tarOf([
      { name: "oci-layout", content: `{"imageLayoutVersion":"1.0.0"}` },
      { name: "index.json", content: indexOf(repository) },
      ...contentOf(repository).map(([digest, content]) => ({ name: `blobs/${digest.replace(":", "/")}`, content }))
    ])
  )

/** A tar with a layout in it; its tags are full names there. The directory must hold nothing else. */
export const tarPlace = (dir: string): Place => ({
  kind: "tar",
  name: join(dir, "image.tar"),
  see: async () => {
    mkdirSync(dir, { recursive: true })
    const left = readdirSync(dir).filter((it) => it !== "image.tar").map((it) => `${it} is left over`)
    const file = join(dir, "image.tar")
    const repository = emptyRepository()
    if (!existsSync(file)) return { repository, flaws: left }
    const tar = readFileSync(file)
    for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
      const name = tar.toString("latin1", at, at + 100).replace(/\0.*$/s, "")
      const size = parseInt(tar.toString("latin1", at + 124, at + 136), 8)
      const bytes = tar.subarray(at + 512, at + 512 + size)
      if (/^blobs\/sha256\/[0-9a-f]{64}$/.test(name)) {
        if (digestOf(bytes) !== `sha256:${name.slice(13)}`) left.push(`${name} is other bytes (D3)`)
        sort(repository, bytes)
      }
      if (name === "index.json") {
        for (const { digest } of JSON.parse(bytes.toString()).manifests) repository.tags.set("image", digest)
      }
      at += 512 + Math.ceil(size / 512) * 512
    }
    return { repository, flaws: [...left, ...flawsOf(repository, digestOf)] }
  }
})

/** A directory for files, by name and digest: each is there as a whole or not at all. */
export const filesPlace = (dir: string, expected: ReadonlyMap<string, string>): Place => ({
  kind: "files",
  name: dir,
  see: async () => {
    const repository = emptyRepository()
    const flaws = (existsSync(dir) ? readdirSync(dir) : []).flatMap((name) => {
      const bytes = readFileSync(join(dir, name))
      repository.blobs.set(digestOf(bytes), bytes)
      if (!expected.has(name)) return [`${name} is left over`]
      return expected.get(name) === digestOf(bytes) ? [] : [`the file ${name} has other bytes (L04)`]
    })
    return { repository, flaws }
  }
})
