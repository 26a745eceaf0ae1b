/** Commands drawn at random, each with what it may change, and what that is when it is done. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bytesOf } from "../support/copies.ts"
import { digestOf, type Repository } from "../support/quirky.ts"
import { type Change, type Command, fromPlace, places, type Setting, to, toPlace } from "./command.ts"
import { drawImage, type Drawn, manifestIn } from "./drawnImages.ts"
import { blobGet, blobPut, fetchedFiles, modified } from "./drawnParts.ts"
import { layoutPlace, registryPlace, tarPlace, writeLayout, writeTar } from "./places.ts"

const copy = async (setting: Setting): Promise<Command> => {
  const { from, random } = setting
  const { drawn, place } = fromPlace(setting, ["v1"], from.hasReferrers === false)
  const target = await toPlace(setting, ["v1"], places)
  const image = drawn[0]
  if (image === undefined) throw new Error("no image")
  const platforms = Object.keys(image.platforms)
  const platform = platforms.length > 0 && random.chance(0.2) ? random.pick(platforms) : undefined
  const referrers = platform === undefined && random.chance(0.4)
  const digestTags = platform === undefined && random.chance(0.3)
  const more = [
    ...(platform === undefined ? [] : ["--platform", platform]),
    ...(referrers ? ["--referrers"] : []),
    ...(digestTags ? ["--digest-tags"] : []),
    ...(random.chance(0.15) ? ["--force-recursive"] : []),
    ...(random.chance(0.1) ? ["--fast"] : [])
  ]
  const isFast = more.includes("--fast") && !more.includes("--force-recursive")
  return {
    kind: `image copy to ${target.kind}`,
    tool: "regctl",
    args: ["image", "copy", ...more, `${place.name}:v1`, `${target.name}:v1`],
    source: place,
    target,
    changes: {
      v1: to(platform === undefined ? image.digest : image.platforms[platform] ?? ""),
      ...(digestTags ? Object.fromEntries(image.digestTags.map((tag) => [tag, { isWanted: isThere }])) : {})
    },
    brings: referrers && !isFast ? image.referrers : []
  }
}

const isThere: Change["isWanted"] = (digest) => digest !== undefined

const put = async (setting: Setting): Promise<Command> => {
  const { dir, random } = setting
  const target = await toPlace(setting, ["notes"], places)
  const files = Array.from({ length: 1 + random.below(2) }, (_, at) => {
    const path = join(dir, `file${at}`)
    const content = bytesOf(random.below(2 ** 31), 1 + random.below(random.chance(0.3) ? 200_000 : 5_000))
    writeFileSync(path, content)
    return { path, digest: digestOf(content) }
  })
  return {
    kind: `artifact put to ${target.kind}`,
    tool: "regctl",
    args: [
      "artifact",
      "put",
      "--artifact-type",
      "application/vnd.example.notes",
      ...files.flatMap(({ path }) => ["--file", path, "--file-media-type", "application/octet-stream"]),
      `${target.name}:notes`
    ],
    source: undefined,
    target,
    changes: {
      notes: {
        isWanted: (digest, { repository }) => {
          const text = repository.manifests.get(digest ?? "")?.bytes.toString() ?? ""
          return files.every((it) => text.includes(it.digest))
        }
      }
    },
    brings: []
  }
}

const remove = async (setting: Setting): Promise<Command> => {
  const { random, registries, run } = setting
  const name = `${run}/to`
  const repository = registries.target.repository(name)
  const { digest } = drawImage(repository, "v1", random, setting.to.hasReferrers)
  if (random.chance(0.5)) repository.tags.set("same", digest)
  drawImage(repository, "other", random, setting.to.hasReferrers)
  const path = join(setting.dir, "to")
  const isLayout = random.chance(0.15)
  if (isLayout) writeLayout(path, repository)
  const target = isLayout ? layoutPlace(path) : registryPlace(registries.target, name)
  return {
    kind: `tag delete in ${target.kind}`,
    tool: "regctl",
    args: ["tag", "delete", `${target.name}:v1`],
    source: undefined,
    target,
    changes: { v1: { isWanted: (digest) => digest === undefined } },
    brings: [],
    isOnce: true
  }
}

const exported = async (setting: Setting): Promise<Command> => {
  const { dir, from, random } = setting
  const { drawn, place } = fromPlace(setting, ["v1"], from.hasReferrers === false)
  const out = join(dir, "out")
  mkdirSync(out)
  const target = tarPlace(out)
  if (random.chance(0.5)) {
    const old = setting.registries.target.repository(`${setting.run}/to`)
    drawImage(old, "image", random, true)
    writeTar(target.name, old)
  }
  return {
    kind: "image export",
    tool: "regctl",
    args: ["image", "export", `${place.name}:v1`, target.name],
    source: place,
    target,
    changes: { image: to(drawn[0]?.digest ?? "") },
    brings: []
  }
}

const imported = async (setting: Setting): Promise<Command> => {
  const { dir, random, registries, run } = setting
  const repository = registries.source.repository(`${run}/from`)
  const { digest } = drawImage(repository, "v1", random, true)
  const file = join(dir, "in.tar")
  writeTar(file, { ...repository, tags: new Map([["v1", digest]]) })
  const target = await toPlace(setting, ["v1"], places)
  return {
    kind: `image import to ${target.kind}`,
    tool: "regctl",
    args: ["image", "import", `${target.name}:v1`, file],
    source: undefined,
    target,
    changes: { v1: to(digest) },
    brings: []
  }
}

/** `regsync once` copies what differs, `regsync check` says so. */
const synced = (verb: "once" | "check") => async (setting: Setting): Promise<Command> => {
  const { dir, random, registries } = setting
  const tags = ["v1", "v2", "v3"].slice(0, 1 + random.below(3))
  const { drawn, place } = fromPlace(setting, tags, false)
  const target = await toPlace(setting, tags, places)
  const file = join(dir, "sync.yml")
  const timeouts = "timeouts: { headers: 300ms, commit: 300ms, stall: 300ms }"
  const write = (name: string, more: string) =>
    writeFileSync(
      join(dir, name),
      [
        "version: 1",
        "creds:",
        ...[registries.source, registries.target, registries.front].map(({ host }) =>
          `- { registry: "${host}", tls: disabled, user: ada, pass: l0velace, ${more}blobMax: 60000, blobChunk: 25000 }`
        ),
        `defaults: { skipDockerConfig: true, parallel: ${1 + tags.length % 2} }`,
        "sync:",
        `- { source: "${place.name}", target: "${target.name}", type: repository, tags: { allow: ["v[0-9]"] } }`
      ].join("\n"),
      { mode: 0o600 }
    )
  write("sync.yml", `${timeouts}, `)
  write("calm.yml", "")
  return {
    kind: `regsync ${verb} to ${target.kind}`,
    tool: "regsync",
    args: [verb, "-c", file],
    source: place,
    target,
    ...(verb === "check" ? { isSaid: ({ err }) => err.split("Image sync needed").length > tags.length } : {}),
    changes: verb === "check" ? {} : Object.fromEntries(tags.map((tag, at) => [tag, to(drawn[at]?.digest ?? "")])),
    brings: []
  }
}

const entriesOf = ({ manifests }: Repository, digest: string | undefined): ReadonlyArray<string> => {
  const { manifests: entries = [] } = JSON.parse(manifests.get(digest ?? "")?.bytes.toString() ?? "{}")
  return entries.map((it: Drawn) => it.digest)
}

const added = async (setting: Setting): Promise<Command> => {
  const { random, registries, run } = setting
  const { drawn, place } = fromPlace(setting, ["v1"], false)
  const name = `${run}/to`
  const repository = registries.target.repository(name)
  const first = drawImage(repository, "first", random, setting.to.hasReferrers)
  const entry = { mediaType: first.mediaType, digest: first.digest, size: first.size }
  const index = manifestIn(repository, "application/vnd.oci.image.index.v1+json", { manifests: [entry] })
  repository.tags.set("list", index.digest)
  return {
    kind: "index add",
    tool: "regctl",
    args: ["index", "add", `${registries.target.host}/${name}:list`, "--ref", `${place.name}:v1`],
    source: place,
    target: registryPlace(registries.target, name),
    changes: {
      list: {
        isWanted: (digest, { repository }) => {
          const found = entriesOf(repository, digest)
          const more = new Set([drawn[0]?.digest, ...Object.values(drawn[0]?.platforms ?? {})])
          return found.includes(first.digest) && found.some((it) => more.has(it))
        }
      }
    },
    brings: []
  }
}

const once = synced("once")
const commands = [
  copy,
  copy,
  copy,
  copy,
  copy,
  put,
  remove,
  exported,
  imported,
  once,
  once,
  synced("check"),
  added,
  modified,
  fetchedFiles,
  blobGet,
  blobPut
]

/** A command and all it needs, its directory made and its repositories filled. */
export const drawCommand = (setting: Setting): Promise<Command> => {
  mkdirSync(setting.dir, { recursive: true })
  return setting.random.pick(commands)(setting)
}
