/** A release to look at: the one named by `REGCLIENT_RELEASE`, else one made here, without executables. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { must, root } from "./programs.ts"
import { temporary } from "./registries.ts"

export interface Release {
  readonly dir: string
  readonly version: string
  readonly remove: () => void
}

const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

export const released = async (): Promise<Release> => {
  const made = process.env["REGCLIENT_RELEASE"]
  if (made !== undefined) return { dir: join(root, made), version, remove: () => {} }
  const { path, remove } = temporary("release")
  const dir = join(path, "release")
  await must(process.execPath, [join(root, "scripts/release.ts"), dir, "--allow-dirty", "--no-executables"])
  return { dir, version, remove }
}

/** The root file system of a release's image for this machine, unpacked by umoci as a container engine would. */
export const unpacked = async (regctl: string, layout: string, dir: string): Promise<string> => {
  const one = join(dir, "one")
  await must(process.execPath, [regctl, "image", "copy", "--platform", "linux/amd64", layout, `ocidir://${one}:it`])
  await must("umoci", ["unpack", "--image", `${one}:it`, join(dir, "bundle")])
  const rootfs = join(dir, "bundle/rootfs")
  // What every engine gives a container.
  await must("mknod", ["-m", "666", join(rootfs, "dev/null"), "c", "1", "3"])
  return rootfs
}
