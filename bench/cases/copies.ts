/** Copies of one image: one large layer, many small layers, nothing at all, four large layers at once. */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { type Case, counted, GiB, KiB, MiB, room, say, sizeText, withPair } from "../bench.ts"
import { putImage, randomLayers } from "../content.ts"
import { type Contestant, measure } from "../measure.ts"
import { scratch } from "../surroundings.ts"
import { copiers, savers } from "../tools.ts"

const large: Case = {
  name: "large",
  what: "an image of one layer of 1 GiB, copied from registry to registry and to a directory",
  run: ({ isQuick, rounds }) =>
    withPair(async (pair) => {
      const { source, target } = pair
      const size = isQuick ? 64 * MiB : GiB
      const [from, to, sample] = ["large:v1", "large:v1", "sample:v1"]
      await putImage(`${source.host}/large`, ["v1"], randomLayers([size]))
      await putImage(`${source.host}/sample`, ["v1"], randomLayers([16 * MiB]))
      const empty = async () => target.clear()
      const remove = async () => rmSync(join(scratch, "saved"), { recursive: true, force: true })
      const title = `one layer of ${sizeText(size)}`
      const counts = await counted(pair, copiers(`${source.host}/${sample}`, `${target.host}/${sample}`), empty)
      const savedCounts = await counted(pair, savers(`${source.host}/${sample}`), remove)
      const copies = await measure({
        key: "large",
        title,
        rounds,
        contestants: copiers(`${source.host}/${from}`, `${target.host}/${to}`),
        before: empty,
        counts,
        gib: size / GiB
      })
      target.clear()
      const saves = await measure({
        key: "directory",
        title: `${title}, to a directory`,
        rounds,
        contestants: savers(`${source.host}/${from}`),
        before: remove,
        counts: savedCounts,
        gib: size / GiB
      })
      await remove()
      return [...copies, ...saves]
    })
}

const many: Case = {
  name: "many",
  what: "an image of 200 layers of 50 KiB: new at the target, then up to date",
  run: ({ isQuick, rounds }) =>
    withPair(async (pair) => {
      const { source, target } = pair
      const sizes = Array.from({ length: 200 }, () => 50 * KiB)
      await putImage(`${source.host}/many`, ["v1"], randomLayers(sizes))
      const contestants = copiers(`${source.host}/many:v1`, `${target.host}/many:v1`)
      const before = async () => target.clear()
      const counts = await counted(pair, contestants, before)
      const fresh = await measure({
        key: "many",
        title: "200 layers of 50 KiB",
        rounds: isQuick ? 1 : rounds + 2,
        contestants,
        before,
        counts
      })
      return [
        ...fresh,
        ...await measure({
          key: "again",
          title: "200 layers, up to date",
          rounds: isQuick ? 1 : rounds * 3,
          contestants,
          counts: await counted(pair, contestants)
        })
      ]
    })
}

/** crane and oras hold as little as the Go regctl, and four GiB take a while. */
const isLikeOthers = ({ name }: Contestant) => name !== "crane" && name !== "oras"

const memory: Case = {
  name: "memory",
  what: "an image of four layers of 1 GiB: what a copy holds in memory",
  run: ({ isQuick }) =>
    withPair(async ({ source, target }) => {
      const wanted = isQuick ? 32 * MiB : GiB
      const size = room() > 10 * wanted ? wanted : 128 * MiB
      if (size < wanted) say(`there is no room for layers of ${sizeText(wanted)}: ${sizeText(size)} instead`)
      await putImage(`${source.host}/four`, ["v1"], randomLayers([size, size, size, size]))
      return measure({
        key: "memory",
        title: `four layers of ${sizeText(size)}`,
        rounds: 1,
        contestants: copiers(`${source.host}/four:v1`, `${target.host}/four:v1`).filter(isLikeOthers),
        before: async () => target.clear(),
        gib: 4 * size / GiB
      })
    })
}

export const copies: ReadonlyArray<Case> = [large, many, memory]
