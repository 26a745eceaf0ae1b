/** What every command is drawn with: where it reads and writes, and what it may change. */
import { join } from "node:path"
import type { Ran } from "../support/programs.ts"
import type { BrokenRegistries, Manner } from "./brokenRegistries.ts"
import type { Random } from "./campaign.ts"
import { drawImage } from "./drawnImages.ts"
import { layoutPlace, type Place, registryPlace, type Seen, servedPlace, writeLayout } from "./places.ts"

export interface Change {
  /** What its tag names when all is done: a digest, nothing, or whatever passes. */
  readonly isWanted: (digest: string | undefined, seen: Seen, before: Seen) => boolean
}

export interface Command {
  readonly kind: string
  readonly tool: "regctl" | "regsync"
  readonly args: ReadonlyArray<string>
  readonly source: Place | undefined
  readonly target: Place
  readonly changes: Readonly<Record<string, Change>>
  /** What the target has to hold when all is done, beyond its tags. */
  readonly brings: ReadonlyArray<string>
  /** What stands on standard input. */
  readonly input?: string
  /** Whether it said all it had to say, when it is done. */
  readonly isSaid?: (ran: Ran) => boolean
  /** Done a second time it says so. */
  readonly isOnce?: boolean
}

export interface Setting {
  readonly random: Random
  readonly registries: BrokenRegistries
  /** Name of the run, and a directory for it. */
  readonly run: string
  readonly dir: string
  readonly from: Manner
  readonly to: Manner
}

export const to = (digest: string): Change => ({ isWanted: (found) => found === digest })

export const fromPlace = (
  { dir, from, random, registries, run }: Setting,
  tags: ReadonlyArray<string>,
  mayBeLayout: boolean
) => {
  const name = `${run}/from`
  const repository = registries.source.repository(name)
  const drawn = tags.map((tag) => drawImage(repository, tag, random, from.hasReferrers))
  if (!mayBeLayout || random.chance(0.8)) return { place: registryPlace(registries.source, name), drawn, repository }
  const path = join(dir, "from")
  // A layout lists referrers by tags.
  writeLayout(path, repository)
  return { place: layoutPlace(path), drawn, repository }
}

/** A target that may hold something of its own under the tags to come, and under others. */
export const toPlace = async (setting: Setting, tags: ReadonlyArray<string>, kinds: ReadonlyArray<string>) => {
  const { dir, random, registries, run } = setting
  const name = `${run}/to`
  const kind = random.pick(kinds)
  if (kind === "served") return servedPlace(registries.front, registries.real, name)
  const repository = registries.target.repository(name)
  for (const tag of [...tags, "other"])
    if (random.chance(0.5)) drawImage(repository, tag, random, setting.to.hasReferrers)
  if (kind === "registry") return registryPlace(registries.target, name)
  const path = join(dir, "to")
  if (random.chance(0.6)) writeLayout(path, repository)
  return layoutPlace(path)
}

export const places = ["registry", "registry", "registry", "registry", "layout", "served"]
