/**
 * Server-sent events: the whole state once, then what changed of it, looked up twice a second. Nothing is kept for a
 * client: one that reads slowly gets fewer and larger changes.
 */
import { Clock, Effect, Stream } from "effect"
import type { JobState, Model } from "./model.ts"
import { sample } from "./progress.ts"
import { jobView, newsView, stateView, type Surroundings } from "./view.ts"

/** Milliseconds between two looks, and of silence after which a comment shows that the connection lives. */
const period = 500
const heartbeat = 15_000

interface Sent {
  readonly model: Model
  readonly moved: ReadonlyMap<string, number>
  readonly time: number
}

/** Ends never; `read` gives the model of the moment. */
export const changes = (surroundings: Surroundings, read: () => Model): Stream.Stream<Uint8Array> => {
  const whole = (model: Model, time: number) => frame("state", stateView(surroundings, model, time))
  const first = Effect.map(Clock.currentTimeMillis, (time) => {
    const model = read()
    return [whole(model, time), { model, moved: movedOf(model), time }] as const
  })
  const next = (last: Sent): Effect.Effect<readonly [string, Sent]> =>
    Effect.flatMap(Effect.andThen(Effect.sleep(period), Clock.currentTimeMillis), (time) => {
      const model = read()
      const moved = movedOf(model)
      const text = isReconfigured(last.model, model) ? whole(model, time) : changed(last, model, moved, time)
      if (text !== undefined) return Effect.succeed([text, { model, moved, time }])
      if (time - last.time >= heartbeat) return Effect.succeed([": still here\n\n", { ...last, time }])
      return next(last)
    })
  return Stream.unfold(
    undefined as Sent | undefined,
    (last) => last === undefined ? first : next(last)
  ).pipe(Stream.encodeText)
}

const frame = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** Bytes moved by jobs at work: counters go up without an event. */
const movedOf = (model: Model): ReadonlyMap<string, number> =>
  new Map(
    [...model.jobs].filter(([, { pairs }]) => pairs.size > 0).map(([name, { pairs }]) =>
      [name, [...pairs.values()].reduce((sum, { progress }) => sum + sample(progress).moved, 0)] as const
    )
  )

/** Jobs came, went or read otherwise than before. */
const isReconfigured = (before: Model, now: Model): boolean => {
  if (before.jobs === now.jobs) return false
  const fixed = ({ jobs }: Model) =>
    JSON.stringify([...jobs.values()].map(({ name, schedule, source, target }) => [name, schedule, source, target]))
  return fixed(before) !== fixed(now)
}

const changed = (last: Sent, model: Model, moved: Sent["moved"], time: number): string | undefined => {
  const isChanged = (job: JobState) =>
    last.model.jobs.get(job.name) !== job || last.moved.get(job.name) !== moved.get(job.name)
  const jobs = [...model.jobs.values()].filter(isChanged)
  if (jobs.length === 0 && last.model === model) return undefined
  return frame("change", { ...newsView(model, time), jobs: jobs.map((job) => jobView(job)) })
}
