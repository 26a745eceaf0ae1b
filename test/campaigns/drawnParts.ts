/** Commands on a part of an image or on its annotations, drawn at random: its blobs, the files of an artifact. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { bytesOf } from "../support/copies.ts"
import { digestOf } from "../support/quirky.ts"
import type { Random } from "./campaign.ts"
import { type Command, fromPlace, places, type Setting, toPlace } from "./command.ts"
import { blobIn, drawImage, manifestIn } from "./drawnImages.ts"
import { filesPlace, layoutPlace, registryPlace, writeLayout } from "./places.ts"

/** Letters alone, so that output shows them as they are. */
const textOf = (random: Random): string => {
  const size = random.chance(0.3) ? 60_000 + random.below(150_000) : 1 + random.below(3_000)
  return bytesOf(random.below(2 ** 31), Math.ceil(size / 2)).toString("hex")
}

export const modified = async (setting: Setting): Promise<Command> => {
  const { dir, random, registries, run } = setting
  const repository = registries.target.repository(`${run}/to`)
  const { digest } = drawImage(repository, "v1", random, setting.to.hasReferrers)
  const isLayout = random.chance(0.2)
  if (isLayout) writeLayout(join(dir, "to"), repository)
  const target = isLayout ? layoutPlace(join(dir, "to")) : registryPlace(registries.target, `${run}/to`)
  const tag = random.chance(0.5) ? "v1" : "v2"
  return {
    kind: `image mod in ${target.kind}`,
    tool: "regctl",
    args: [
      "image",
      "mod",
      `${target.name}:v1`,
      ...(tag === "v1" ? ["--replace"] : ["--create", tag]),
      "--annotation",
      "org.example.made=here",
      ...(random.chance(0.5) ? ["--label", "made=here"] : [])
    ],
    source: undefined,
    target,
    changes: {
      [tag]: {
        isWanted: (found, { repository }) =>
          found !== digest &&
          repository.manifests.get(found ?? "")?.bytes.includes(`"org.example.made":"here"`) === true
      }
    },
    brings: []
  }
}

export const fetchedFiles = async (setting: Setting): Promise<Command> => {
  const { dir, from, random, registries, run } = setting
  const repository = registries.source.repository(`${run}/from`)
  const files = Array.from({ length: 1 + random.below(3) }, (_, at) => {
    const content = Buffer.from(textOf(random))
    return { ...blobIn(repository, "text/plain", content), annotations: { "org.opencontainers.image.title": `f${at}` } }
  })
  const { digest } = manifestIn(repository, "application/vnd.oci.image.manifest.v1+json", {
    artifactType: "application/vnd.example.notes",
    config: blobIn(repository, "application/vnd.oci.empty.v1+json", Buffer.from("{}")),
    layers: files
  })
  repository.tags.set("notes", digest)
  const isLayout = !from.hasReferrers && random.chance(0.2)
  if (isLayout) writeLayout(join(dir, "from"), repository)
  const source = isLayout ? layoutPlace(join(dir, "from")) : registryPlace(registries.source, `${run}/from`)
  const out = join(dir, "files")
  mkdirSync(out)
  const target = filesPlace(out, new Map(files.map(({ digest }, at) => [`f${at}`, digest])))
  return {
    kind: "artifact get",
    tool: "regctl",
    args: ["artifact", "get", `${source.name}:notes`, "--output", out],
    source,
    target,
    changes: {},
    brings: files.map(({ digest }) => digest)
  }
}

export const blobGet = async (setting: Setting): Promise<Command> => {
  const { random, registries, run } = setting
  const text = textOf(random)
  blobIn(registries.source.repository(`${run}/from`), "text/plain", Buffer.from(text))
  const { place } = fromPlace(setting, ["v1"], setting.from.hasReferrers === false)
  return {
    kind: "blob get",
    tool: "regctl",
    args: ["blob", "get", place.name, digestOf(text)],
    source: place,
    target: registryPlace(registries.target, `${run}/to`),
    changes: {},
    brings: [],
    isSaid: ({ out }) => out === text
  }
}

export const blobPut = async (setting: Setting): Promise<Command> => {
  // Of a real server only what a tag reaches is seen.
  const target = await toPlace(setting, ["v1"], places.filter((it) => it !== "served"))
  const input = textOf(setting.random)
  return {
    kind: `blob put to ${target.kind}`,
    tool: "regctl",
    args: ["blob", "put", target.name],
    input,
    source: undefined,
    target,
    changes: {},
    brings: [digestOf(input)],
    isSaid: ({ out }) => out === `${digestOf(input)}\n`
  }
}
