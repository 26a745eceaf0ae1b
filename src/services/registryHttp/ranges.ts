/**
 * The rest of a large body in some requests at once, for links on which one connection is slow (performance notes,
 * 4.10). What comes is handed on in order; each segment stays in the memory of its own until it is its turn.
 */
import { Clock, Deferred, Effect, Exit, Fiber, Option } from "effect"
import type { Scope } from "effect"
import { header, type Headers } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import type { Sink } from "../Bytes.ts"
import { contentRange, noRange, type Opened } from "./opened.ts"
import { Ordered, type Segment, segmentSize } from "./ordered.ts"
import { makePace, type Pace } from "./pace.ts"

/** Requests at once, and bytes that a body must have for it to be worth while. */
const mostRanges = 4
export const leastRest = 64 * 1024 * 1024

/** Bytes in a second below which a link counts as slow. A server on this machine has other reasons to be: it must be slower. */
export const [slowLink, slowLoopback] = [50_000_000, 10_000_000]

/** Bytes that must be left when they begin. */
const leastAhead = 3 * segmentSize

/** How ranges are asked for. */
export interface Ranged {
  /** The body from `from` up to `end`, which goes on after it broke off. As a probe it is asked for once. */
  readonly open: (from: number, end: number, isProbe: boolean) => Effect.Effect<Opened, StoreError, Scope.Scope>
  /** Runs an effect at a place of the host's that nobody else wants, if there is one. */
  readonly spare: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** Bytes in a second. */
  readonly slow: number
}

/** The first answer says that a part can be asked for. */
export const takesRanges = ({ headers, status }: Pick<Opened, "status" | "headers">): boolean =>
  status === 206 || (headers["accept-ranges"] ?? []).some((it) => it.trim().toLowerCase() === "bytes")

/** What a stream fails with where the ranges take over. */
export const handedOver = storeError("", "ProtocolError", "the rest comes in ranges")

export interface Ranges {
  /** The one stream, watched; it ends with `handedOver` once ranges were found to come. */
  readonly watched: (sink: Sink) => Sink
  /** Where the one stream ends; nothing as long as it has to go on to the end. */
  readonly limit: () => number | undefined
  /** After that: runs until all was handed on. */
  readonly rest: Effect.Effect<void, StoreError>
}

/** The one stream: how far it got, where it ends, and how many bytes there are in all. */
interface Stream {
  readonly at: () => number
  readonly size: number
  readonly total: number
}

/** What the stream and the requests beside it know of each other. */
interface Course {
  /** Ranges begin, were found to come, have taken over; they are not tried again. */
  state: "watching" | "begun" | "proven" | "over" | "off"
  /** Where they begin. */
  start: number
  readonly ordered: Ordered
}

/** Watches the stream, and begins in the scope. `emit` takes what comes after it. */
export const makeRanges = Effect.fnUntraced(function*(first: Opened, stream: Stream, how: Ranged, emit: Sink) {
  const pace = makePace(yield* Clock.Clock, segmentSize)
  const wanted = Deferred.makeUnsafe<void>()
  const done = Deferred.makeUnsafe<void, StoreError>()
  const course: Course = {
    state: "watching",
    start: 0,
    ordered: new Ordered(stream.size, emit, (exit) => Deferred.doneUnsafe(done, exit))
  }
  const fetch = fetcher(first, stream, how, course)
  const workers = Array.from(
    { length: mostRanges - 1 },
    () => worker(course.ordered, (buffer) => how.spare(fetch(buffer)))
  )
  const beside = Effect.all(workers, { concurrency: workers.length, discard: true }).pipe(
    Effect.onError((cause) =>
      Effect.sync(() => {
        // A failure before the stream ended where they begin only means that it goes on.
        if (course.state === "over") Deferred.doneUnsafe(done, Exit.failCause(cause))
        else course.state = "off"
      })
    )
  )
  const running = yield* Effect.forkScoped(Effect.andThen(Deferred.await(wanted), Effect.exit(beside)))
  const rest = Effect.gen(function*() {
    course.state = "over"
    course.ordered.begin()
    const own = worker(course.ordered, (buffer) => Effect.asSome(fetch(buffer)))
    const last = yield* Effect.forkChild(Effect.tapCause(own, (cause) => Deferred.failCause(done, cause)))
    yield* Deferred.await(done).pipe(
      Effect.ensuring(Effect.sync(() => course.ordered.stop())),
      Effect.ensuring(Fiber.interruptAll([last, running]))
    )
  })
  const ranges: Ranges = {
    watched: watcher(pace, stream, how, course, {
      begin: () => void Deferred.doneUnsafe(wanted, Effect.void),
      stop: () => running.interruptUnsafe()
    }),
    limit: () => course.state === "proven" ? course.start : undefined,
    rest
  }
  return ranges
})

/** Decides view by view whether the stream is slow, and whether ranges come in time. */
const watcher = (
  pace: Pace,
  { at, size }: Stream,
  { slow }: Ranged,
  course: Course,
  beside: { readonly begin: () => void; readonly stop: () => void }
) =>
(sink: Sink): Sink => {
  const isLong = () => size - at() >= leastAhead
  const place = () => {
    course.start = at() + segmentSize
    course.ordered.next = course.start
  }
  return pace.watch((view, release) => {
    sink(view, release)
    if (course.state !== "begun" || at() <= course.start) return
    // There is no place for them yet, or the stream is as fast as they are.
    if (course.ordered.isEmpty && isLong()) return place()
    course.state = "off"
    beside.stop()
  }, (rate) => {
    if (course.state !== "watching" || rate >= slow || !isLong()) return
    course.state = "begun"
    place()
    beside.begin()
  })
}

/** Asks for one segment after the other. Who needs a place and finds none comes back. */
const worker = Effect.fnUntraced(function*(
  ordered: Ordered,
  fetch: (buffer: Buffer) => Effect.Effect<Option.Option<Segment>, StoreError>
) {
  let buffer: Buffer | undefined
  while (!ordered.isAssigned) {
    buffer ??= Buffer.allocUnsafeSlow(segmentSize)
    const segment = yield* fetch(buffer)
    if (Option.isNone(segment)) yield* Effect.sleep("1 second")
    else yield* Deferred.await(segment.value.free)
  }
})

/** Brings the next segment into a memory. */
const fetcher = (first: Opened, { total }: Stream, how: Ranged, course: Course) => (buffer: Buffer) =>
  Effect.suspend(() => {
    const { ordered } = course
    const segment = ordered.assign(buffer)
    return Effect.gen(function*() {
      const opened = yield* how.open(segment.from, segment.end, course.state === "begun")
      if (!isPartOf(first, opened, segment, total)) return yield* noRange
      if (course.state === "begun") course.state = "proven"
      yield* opened.body((view, release) => {
        if (!ordered.fill(segment, view)) throw noRange
        release()
        ordered.advance()
      })
      return ordered.isFilled(segment) ? segment : yield* noRange
    }).pipe(Effect.scoped)
  })

/** Exactly what was asked for, of the same content as the first answer. */
const isPartOf = (first: Opened, opened: Opened, { end, from }: Segment, total: number): boolean => {
  const range = opened.status === 206 ? contentRange(opened.headers) : undefined
  return range !== undefined && range.start === from && range.end === end - 1 && range.total === total &&
    isSameOrAbsent("etag", first.headers, opened.headers) &&
    isSameOrAbsent("docker-content-digest", first.headers, opened.headers)
}

const isSameOrAbsent = (name: string, one: Headers, other: Headers): boolean => {
  const [a, b] = [header(one, name), header(other, name)]
  return a === undefined || b === undefined || a === b
}
