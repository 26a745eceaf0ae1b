/** What a process costs that does next to nothing, against Node that does nothing at all. */
import { type Case, KiB, withPair } from "../bench.ts"
import { putImage, randomLayers } from "../content.ts"
import { measure, timed } from "../measure.ts"
import { executable, ours, peer, peers, tool } from "../tools.ts"

export const bare = "node -e 0"
export const single = "regctl, single executable"

const contestants = (args: ReadonlyArray<string>) => {
  const sea = executable("regctl")
  return [
    ours("regctl", [...tool("regctl"), ...args]),
    ours(bare, [process.execPath, "-e", "0"]),
    ...(sea === undefined ? [] : [ours(single, [sea, ...args])])
  ]
}

const start: Case = {
  name: "start-up",
  what: "`version`, and `tag ls` of a registry on loopback",
  run: ({ isQuick, rounds }) =>
    withPair(async ({ source }) => {
      await putImage(`${source.host}/app`, ["v1"], randomLayers([KiB]))
      const list = `${source.host}/app`
      const version = [
        ...contestants(["version"]),
        ...peer(peers.regctl, "regctl (Go)", ["version"]),
        ...peer(peers.crane, "crane", ["version"]),
        ...peer(peers.oras, "oras", ["version"]),
        ...peer(peers.skopeo, "skopeo", ["--version"])
      ]
      const tags = [
        ...contestants(["tag", "ls", list]),
        ...peer(peers.regctl, "regctl (Go)", ["tag", "ls", list]),
        ...peer(peers.crane, "crane", ["ls", "--insecure", list]),
        ...peer(peers.oras, "oras", ["repo", "tags", "--plain-http", list]),
        ...peer(peers.skopeo, "skopeo", ["list-tags", "--tls-verify=false", `docker://${list}`])
      ]
      // Compile caches are written by the first run.
      for (const it of [...version, ...tags]) await timed(it)
      const all = isQuick ? 3 : rounds * 7
      return [
        ...await measure({ key: "version", title: "version", rounds: all, contestants: version }),
        ...await measure({ key: "tag ls", title: "tag ls", rounds: all, contestants: tags })
      ]
    })
}

export const startUp: ReadonlyArray<Case> = [start]
