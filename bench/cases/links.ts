/** Copies over networks: registries 30 ms away, and a source whose connections bring 20 Mbit/s each. */
import { type Case, counted, GiB, KiB, MiB, sizeText, withPair } from "../bench.ts"
import { putImage, randomLayers } from "../content.ts"
import { measure } from "../measure.ts"
import { link } from "../registries.ts"
import { copiers, trust } from "../tools.ts"

/** 20 Mbit/s. */
const rate = 20e6 / 8

const far: Case = {
  name: "latency",
  what: "an image of 20 layers of 50 KiB to 1 MiB between two registries that are 30 ms away",
  run: ({ rounds }) =>
    withPair(async (pair) => {
      const sizes = Array.from({ length: 20 }, (_, at) => Math.round((50 + at * (1000 - 50) / 19) * KiB))
      await putImage(`${pair.source.host}/twenty`, ["v1"], randomLayers(sizes))
      const links = await Promise.all([pair.source, pair.target].map(({ host }) => link(host, { rtt: 30 })))
      const [source = "", target = ""] = links.map((it) => it.host)
      trust([source, target])
      try {
        const contestants = copiers(`${source}/twenty:v1`, `${target}/twenty:v1`)
        const before = async () => pair.target.clear()
        return await measure({
          key: "latency",
          title: "20 layers, 30 ms",
          rounds,
          contestants,
          before,
          counts: await counted(pair, contestants, before)
        })
      } finally {
        await Promise.all(links.map((it) => it.stop()))
      }
    })
}

/** `left` are peers that are left out. */
const slow = (name: string, count: number, size: number, left: ReadonlyArray<string> = []): Case => ({
  name,
  what: `an image of ${count} layer${count === 1 ? "" : "s"} of ${
    sizeText(size)
  } from a source of 20 Mbit/s a connection`,
  run: ({ isQuick }) =>
    withPair(async ({ source, target }) => {
      const each = isQuick ? size / 8 : size
      await putImage(`${source.host}/slow`, ["v1"], randomLayers(Array.from({ length: count }, () => each)))
      const way = await link(source.host, { rate })
      trust([way.host, target.host])
      try {
        const contestants = copiers(`${way.host}/slow:v1`, `${target.host}/slow:v1`)
        return await measure({
          key: name,
          title: `${count} layer${count === 1 ? "" : "s"} of ${sizeText(each)}, 20 Mbit/s`,
          rounds: 1,
          contestants: contestants.filter((it) => !left.includes(it.name)),
          before: async () => target.clear(),
          gib: count * each / GiB
        })
      } finally {
        await way.stop()
      }
    })
})

/** Over one connection, crane and oras can be no faster than the others: half a minute each that tells nothing. */
export const links: ReadonlyArray<Case> = [
  far,
  slow("slow-layer", 1, 64 * MiB, ["crane", "oras"]),
  slow("slow-layers", 8, 4 * MiB)
]
