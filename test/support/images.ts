/** Images made by other people's tools: umoci and skopeo. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { installed, must, run } from "./programs.ts"

/** An OCI layout with one tag, made by umoci: two layers on an empty base. */
export const umociImage = async (dir: string, tag: string, salt = "1"): Promise<string> => {
  const umoci = installed("umoci", "umoci")
  const layout = join(dir, "layout")
  await must(umoci, ["init", "--layout", layout])
  await must(umoci, ["new", "--image", `${layout}:${tag}`])
  for (const layer of ["one", "two"]) {
    const tree = join(dir, `tree-${layer}`)
    mkdirSync(tree, { recursive: true })
    writeFileSync(join(tree, `${layer}.txt`), `${layer} ${salt}\n`.repeat(2_000))
    await must(umoci, ["insert", "--rootless", "--image", `${layout}:${tag}`, tree, `/${layer}`])
  }
  await must(umoci, [
    "config",
    "--image",
    `${layout}:${tag}`,
    "--config.label",
    "made=by umoci",
    "--config.cmd",
    "/bin/true"
  ])
  return layout
}

/** skopeo without certificate checks or policy, so that it runs anywhere. */
export const skopeo = (args: ReadonlyArray<string>): Promise<string> =>
  must(installed("skopeo", "skopeo"), ["--insecure-policy", ...args])

export const trySkopeo = (args: ReadonlyArray<string>) =>
  run(installed("skopeo", "skopeo"), ["--insecure-policy", ...args])

/** The digest skopeo sees. */
export const skopeoDigest = async (image: string): Promise<string> =>
  (await skopeo(["inspect", "--tls-verify=false", "--format", "{{.Digest}}", image])).trim()
