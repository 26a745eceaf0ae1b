/** A daemon's watch over the real listener, fed by a test, and the events it is fed with. */
import { Effect, Layer, References } from "effect"
import { layer as listener } from "../../../src/layers/Server.ts"
import { tending } from "../../../src/programs/regsync/tending.ts"
import type { Started } from "../../../src/programs/watch/router.ts"
import { watch } from "../../../src/programs/watch/start.ts"
import type { CopyEvent, CopyStep, Counter, How } from "../../../src/schemas/Copy.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { readRegsyncConfig } from "../../../src/schemas/RegsyncConfig.ts"
import { SettingsReader } from "../../../src/schemas/settings.ts"
import { type Job, type PairResult, SyncEvent, type Watched } from "../../../src/schemas/Sync.ts"
import { BuildInfo } from "../../../src/services/BuildInfo.ts"
import { SyncEvents } from "../../../src/services/SyncEvents.ts"

export interface WatchingOptions {
  readonly listen?: string
  readonly token?: string
  readonly runNow?: (job: string) => Effect.Effect<Started>
}

const build = Layer.succeed(
  BuildInfo,
  BuildInfo.of({
    tag: "v1.2.3",
    ref: "abc",
    commit: "abc",
    state: "clean",
    date: "2026-01-02T03:04:05Z",
    platform: "linux/amd64",
    runtime: "node v26.10.0"
  })
)

/** A status server for the rest of the scope, and the way to tell it something. */
export const watching = (
  { listen = "127.0.0.1:0", runNow = () => Effect.succeed("started"), token = "" }: WatchingOptions = {}
) =>
  Effect.flatMap(Layer.build(Layer.mergeAll(listener, SyncEvents.layer, build)), (context) =>
    Effect.gen(function*() {
      const { publish } = yield* SyncEvents
      const url = yield* watch({ tool: "regsync", listen, token, runNow })
      return {
        url,
        tell: (...events: ReadonlyArray<SyncEvent>) => Effect.forEach(events, publish, { discard: true })
      }
    }).pipe(Effect.provideContext(context), Effect.provideService(References.MinimumLogLevel, "None")))

const config = readRegsyncConfig(new SettingsReader(), undefined)
const blank = {
  ...config.defaults,
  type: "repository",
  tags: { allow: [], deny: [], semverRange: [] },
  tagSets: [],
  repos: { allow: [], deny: [] },
  platform: "",
  platforms: [],
  line: 1,
  column: 1
}

export const jobOf = (name: string, schedule = "@every 1h", more: Partial<Job["entry"]> = {}): Job => ({
  name,
  entry: { ...blank, source: `docker.io/library/${name}`, target: `registry:5000/mirror/${name}`, schedule, ...more }
})

export const configuredWith = (...jobs: ReadonlyArray<Job>): SyncEvent =>
  SyncEvent.Configured({ jobs: jobs.map(tending.describe) })

/** A script as a daemon's listeners know it. */
export const scriptOf = (name: string, schedule = "@every 1h"): Watched => ({
  name,
  source: "",
  target: "",
  type: "script",
  schedule
})

export const pairOf = (job: string, tag: string) => ({
  job,
  source: `docker.io/library/${job}:${tag}`,
  target: `registry:5000/mirror/${job}:${tag}`
})

export const ended = (job: string, tag: string, more: Partial<PairResult> = {}): SyncEvent =>
  SyncEvent.PairEnded({
    result: {
      ...pairOf(job, tag),
      decision: "copy",
      outcome: "copied",
      bytes: 1000,
      saved: 200,
      began: 10_000,
      elapsed: 250,
      ...more
    },
    time: (more.began ?? 10_000) + (more.elapsed ?? 250)
  })

const stepOf = (id: string, size: number): CopyStep => ({
  _tag: "Blob",
  id,
  lane: "content",
  needs: [],
  isKnownAbsent: false,
  descriptor: { mediaType: "application/octet-stream", digest: Digest.make(`sha256:${id.padStart(64, "0")}`), size }
})

/** The events of one blob's copy, by name. */
export const blob = (id: string, size: number) => {
  const step = stepOf(id, size)
  return {
    planned: { _tag: "Planned", step } satisfies CopyEvent,
    started: (moved: Counter) => ({ _tag: "Started", step, moved }) satisfies CopyEvent,
    finished: (how: How) => ({ _tag: "Finished", step, how }) satisfies CopyEvent
  }
}

export const copying = (job: string, tag: string, event: CopyEvent): SyncEvent =>
  SyncEvent.Copying({ job, target: pairOf(job, tag).target, event })
