/** A mirror of fifty images that share most of their layers, across repositories: what is sent once, what is mounted. */
import { type Case, counted, KiB, MiB, withPair } from "../bench.ts"
import { putImage, randomLayer } from "../content.ts"
import { type Contestant, measure } from "../measure.ts"
import { mirrorFile, ours, peer, peerEach, peers, skopeoSync, tool } from "../tools.ts"

const repositories = ["app0", "app1", "app2", "app3", "app4"]
const sharedLayers = 6
const ownLayers = 2

/** Blobs that differ: the shared layers, and each image's own ones with its config. */
export const distinctBlobs = (images: number): number => sharedLayers + images * (ownLayers + 1)

/** Every repository but the first can mount the shared layers. */
export const possibleMounts = (repositories.length - 1) * sharedLayers

const mirrors = (source: string, target: string, tags: ReadonlyArray<string>): ReadonlyArray<Contestant> => {
  const pairs = repositories.map((name) => ({ source: `${source}/${name}`, target: `${target}/${name}` }))
  const images = pairs.flatMap((it) => tags.map((tag) => [`${it.source}:${tag}`, `${it.target}:${tag}`]))
  const file = mirrorFile("shared", pairs)
  return [
    ours("regsync", [...tool("regsync"), "once", "-c", file]),
    ...peer(peers.regsync, "regsync (Go)", ["once", "-c", file]),
    ...peerEach(
      peers.crane,
      "crane, 5 processes",
      pairs.map((it) => ["copy", "--insecure", "--all-tags", it.source, it.target])
    ),
    ...peerEach(
      peers.oras,
      `oras, ${images.length} processes`,
      images.map((it) => ["cp", "--no-tty", "--from-plain-http", "--to-plain-http", ...it])
    ),
    ...peer(peers.skopeo, "skopeo sync", skopeoSync("shared", source, repositories, target))
  ]
}

const shared: Case = {
  name: "shared",
  what: "50 images in 5 repositories, 6 of their 8 layers the same: new at the target, then up to date",
  run: ({ isQuick, rounds }) =>
    withPair(async (pair) => {
      const { source, target } = pair
      const tags = Array.from({ length: isQuick ? 2 : 10 }, (_, at) => `t${at}`)
      const common = Array.from({ length: sharedLayers }, () => randomLayer(isQuick ? 256 * KiB : 4 * MiB))
      for (const name of repositories) {
        for (const tag of tags) {
          const own = Array.from({ length: ownLayers }, () => randomLayer(256 * KiB))
          await putImage(`${source.host}/${name}`, [tag], [...common, ...own])
        }
      }
      const contestants = mirrors(source.host, target.host, tags)
      const before = async () => target.clear()
      const counts = await counted(pair, contestants, before)
      const title = `${repositories.length * tags.length} images that share layers`
      const fresh = await measure({ key: "shared", title, rounds, contestants, before, counts })
      return [
        ...fresh,
        ...await measure({
          key: "shared again",
          title: `${title}, up to date`,
          rounds,
          contestants,
          counts: await counted(pair, contestants)
        })
      ]
    })
}

export const mirror: ReadonlyArray<Case> = [shared]
