/** Tags that are up to date: how fast that is found out, near and far, and what the client alone can do against ab. */
import { bundled, type Case, counted, KiB, withPair } from "../bench.ts"
import { putImage, randomLayer } from "../content.ts"
import { type Contestant, measure } from "../measure.ts"
import { link } from "../registries.ts"
import { mirrorFile, ours, peer, peers, skopeoSync, tool, trust } from "../tools.ts"

const layers = Array.from({ length: 3 }, () => randomLayer(KiB))

const tagNames = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`)

/** The image of these layers under so many tags of a repository. */
const putTags = (host: string, repository: string, count: number) =>
  putImage(`${host}/${repository}`, tagNames(count), layers)

const sum = (output: string) => output.trim().split(/\s+/).reduce((all, it) => all + Number(it), 0)
const last = (output: string) => Number(output.trim().split(/\s+/).at(-1))

/** HEADs of tags v0, v1, … of repositories by our client alone; prints the seconds of each repository. */
const heads = (program: ReadonlyArray<string>, atOnce: number, count: number, where: ReadonlyArray<string>) => [
  ...program,
  String(atOnce),
  String(count),
  ...where
]

interface Checked {
  readonly source: string
  readonly target: string
  readonly repository: string
  readonly count: number
}

/** `more` goes to all but our own tool. */
const checkers = (
  program: ReadonlyArray<string>,
  { count, repository, source, target }: Checked,
  more: Partial<Contestant> = {}
): ReadonlyArray<Contestant> => {
  const [from, to] = [`${source}/${repository}`, `${target}/${repository}`]
  const file = mirrorFile(`check-${repository}`, [{ source: from, target: to }])
  const one = { ...more, seconds: sum }
  return [
    ours("regsync check", [...tool("regsync"), "check", "-c", file]),
    ours("one request after the other", heads(program, 1, count, [from, to]), one),
    ...peer(peers.regsync, "regsync (Go) check", ["check", "-c", file], more),
    ...peer(peers.crane, "crane copy --all-tags", ["copy", "--insecure", "--all-tags", from, to], more)
  ]
}

const check: Case = {
  name: "tags",
  what: "2,000 tags that are up to date",
  run: ({ isQuick, rounds }) =>
    withPair(async (pair) => {
      const { source, target } = pair
      const count = isQuick ? 100 : 2000
      for (const { host } of [source, target]) await putTags(host, "tags", count)
      const program = await bundled("headTags")
      const where = { source: source.host, target: target.host, repository: "tags", count }
      const list = skopeoSync("check-skopeo", source.host, ["tags"], target.host)
      const contestants = [...checkers(program, where), ...peer(peers.skopeo, "skopeo sync", list, { rounds: 1 })]
      const counts = await counted(pair, contestants)
      return measure({
        key: "tags",
        title: `${count} tags, up to date`,
        rounds: Math.min(rounds, 2),
        contestants,
        counts
      })
    })
}

/** Times of 200 tags are taken tenfold. skopeo is left out: it asks some twenty times a tag, one after the other. */
const farCheck: Case = {
  name: "latency-tags",
  what: "2,000 tags that are up to date, 30 ms away; others than ours check 200 of them",
  run: ({ isQuick, rounds }) =>
    withPair(async (pair) => {
      const count = isQuick ? 100 : 2000
      for (const { host } of [pair.source, pair.target]) {
        await putTags(host, "tags", count)
        await putTags(host, "few", count / 10)
      }
      const links = await Promise.all([pair.source, pair.target].map(({ host }) => link(host, { rtt: 30 })))
      const [source = "", target = ""] = links.map((it) => it.host)
      trust([source, target])
      const program = await bundled("headTags")
      const [first] = checkers(program, { source, target, repository: "tags", count })
      const tenth = { part: 0.1, rounds: 1 }
      const [, ...others] = checkers(program, { source, target, repository: "few", count: count / 10 }, tenth)
      const contestants = first === undefined ? others : [first, ...others]
      try {
        return await measure({
          key: "latency-tags",
          title: `${count} tags, up to date, 30 ms`,
          rounds,
          contestants,
          counts: await counted(pair, contestants.slice(0, 1))
        })
      } finally {
        await Promise.all(links.map((it) => it.stop()))
      }
    })
}

const perSecond = /Requests per second:\s+(\S+)/

const rate: Case = {
  name: "heads",
  what: "2,000 HEADs of manifests over 8 connections, by our client and by ab",
  run: ({ isQuick, rounds }) =>
    withPair(async ({ source }) => {
      const count = isQuick ? 200 : 2000
      for (const name of ["tags", "more"]) await putTags(source.host, name, count)
      const program = await bundled("headTags")
      const [tags, more] = [`${source.host}/tags`, `${source.host}/more`]
      const accept = "Accept: application/vnd.oci.image.manifest.v1+json"
      const url = `http://${source.host}/v2/tags/manifests/v0`
      const contestants = [
        ours("our client, warm", heads(program, 8, count, [tags, more]), { seconds: last }),
        ours("our client, first", heads(program, 8, count, [tags]), { seconds: last }),
        ...peer(peers.ab, "ab", ["-q", "-i", "-k", "-c8", `-n${count}`, "-H", accept, url], {
          seconds: (output) => count / Number(perSecond.exec(output)?.[1])
        })
      ]
      return measure({
        key: "heads",
        title: `${count} HEADs, 8 connections`,
        rounds: isQuick ? 1 : rounds + 2,
        contestants
      })
    })
}

export const tags: ReadonlyArray<Case> = [check, farCheck, rate]
