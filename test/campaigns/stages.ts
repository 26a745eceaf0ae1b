/** How a command is set up for its death: a source, a target with something in it, and what may be there meanwhile. */
import { basename, join } from "node:path"
import type { Gate } from "../support/gates.ts"
import type { Named } from "../support/layouts.ts"
import type { Random } from "./campaign.ts"
import type { Command, Moments } from "./victims.ts"
import { blobsAt, blobsIn, type Found, layoutFound, layoutOf, push, registryFound } from "./witnesses.ts"

/** A lane of the campaign: nothing of it is shared with others but the registries. */
export interface Lane {
  readonly name: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Registries by name, each with a way to it. */
  readonly registries: ReadonlyArray<{ readonly name: string; readonly host: string; readonly gate: Gate }>
}

export interface Stage extends Moments {
  readonly command: Omit<Command, "env"> & Partial<Pick<Command, "env">>
  readonly find: (isDone: boolean) => Promise<Found>
  /** Digests each tag may have meanwhile; `undefined` is none, `any` a whole image whatever its digest. */
  readonly allowed: Readonly<Record<string, ReadonlyArray<string | undefined>>>
  /** What each tag has to be once all is done. */
  readonly wanted: Readonly<Record<string, string | undefined>>
  /** What is whole at the target, with what tells it from the same made anew. */
  readonly whole: () => Promise<ReadonlyMap<string, string>>
  /** Requests that would move what is there already. */
  readonly moves?: (line: string) => string | undefined
  /** The layout that is written, in which a later writer tidies up. */
  readonly layout?: string | undefined
  /** What is left over elsewhere, and a command that has to tidy it up. */
  readonly leftOver?: () => ReadonlyArray<string>
  readonly later?: ReadonlyArray<string>
  /** What another process does while the command runs. */
  readonly meanwhile?: () => Promise<unknown>
  /** Another thing that must hold, such as a source that stays. */
  readonly also?: () => ReadonlyArray<string>
}

export interface Scene {
  readonly name: string
  readonly stage: (random: Random, lane: Lane, dir: string) => Promise<Stage>
}

export const tag = "v1"
export const none: Stage["whole"] = async () => new Map()

/** A source, and what a target has before: nothing, or an older image. Both have an image that nobody touches. */
export const pair = async (random: Random, dir: string, tags: ReadonlyArray<string> = [tag]) => {
  // Small blobs are sent to a registry without a question, so that one more is cheaper than to ask.
  const large = random.chance(0.3) ? 1_100_000 : 20_000 + random.below(600_000)
  const source = join(dir, "source")
  const images = layoutOf(source, Object.fromEntries(tags.map((it) => [it, `${dir} ${it}`])), large)
  const before = random.chance(0.5) ? Object.fromEntries(tags.map((it) => [it, `${dir} old ${it}`])) : {}
  const old = join(dir, "old")
  const olds = layoutOf(old, { ...before, kept: `${dir} kept` }, 15_000)
  const digests = (of: Readonly<Record<string, Named>>): Readonly<Record<string, string | undefined>> =>
    Object.fromEntries(Object.entries(of).map(([name, { digest }]) => [name, digest]))
  const [now, then] = [digests(images), digests(olds)]
  return {
    source,
    images,
    old,
    olds,
    bytes: (large + 65_000) * tags.length,
    allowed: Object.fromEntries(["kept", ...tags].map((it) => [it, it === "kept" ? [then[it]] : [then[it], now[it]]])),
    wanted: { kept: then["kept"], ...now },
    also: () => layoutFound(source).problems.map((it) => `source: ${it}`)
  }
}

export const seed = async (dir: string, images: Readonly<Record<string, Named>>, host: string, repository: string) => {
  for (const [name, it] of Object.entries(images)) await push(dir, it, host, repository, name)
}

export const repositoryOf = (lane: Lane, dir: string): string => `${lane.name}/${basename(dir)}`

export const uploaded = (line: string) => /^PUT .*[?&]digest=([^&]+)/.exec(decodeURIComponent(line))?.[1]
export const fetched = (line: string) => /^GET .*\/blobs\/(sha256:[0-9a-f]+)/.exec(line)?.[1]

/** A target in a registry, seeded with what was there before. */
export const atRegistry = async (random: Random, lane: Lane, dir: string, made: Awaited<ReturnType<typeof pair>>) => {
  const { gate, host, name } = random.pick(lane.registries)
  const repository = repositoryOf(lane, dir)
  await seed(made.old, made.olds, host, repository)
  const digests = [...blobsIn(made.source)].filter(([, mark]) => Number(mark.split(" ")[2]) > 1_048_576).map(([it]) =>
    it
  )
  gate.open()
  return {
    at: `${gate.host}/${repository}`,
    host,
    repository,
    gate,
    stage: {
      find: async () => {
        const found = await registryFound(host, repository)
        if (name === "own" || found.problems.length === 0) return found
        // That registry lists a tag before it has one: what it is doing for a client that is gone has to end.
        await new Promise((resolve) => setTimeout(resolve, 200))
        return registryFound(host, repository)
      },
      whole: async () => new Map([...await blobsAt(host, repository, digests)].map((it) => [it, ""])),
      moves: uploaded
    }
  }
}

export const inLayout = (dir: string): Pick<Stage, "find" | "layout" | "whole"> => ({
  find: async () => layoutFound(dir),
  whole: async () => blobsIn(dir),
  layout: dir
})
