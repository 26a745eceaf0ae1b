/**
 * Bytes on their way: a `Stream` to programs, and inside, where one is carried, a pump that moves large views from
 * socket or file to socket or file without a stream element for each (measured: half of the CPU of a copy).
 */
import { Effect, Queue, Stream } from "effect"
import type { Cause, Scope } from "effect"
import { hasher } from "../lib/hash.ts"
import type { Descriptor } from "../schemas/Descriptor.ts"
import { algorithmOf, type Digest } from "../schemas/Digest.ts"
import { type StoreError, storeError } from "../schemas/StoreError.ts"

/**
 * Takes a view of the bytes, in order. The view stays valid until `release` is called, once; a source stops reading
 * while it has about two views out. A sink that throws a `StoreError` ends the pump with it.
 */
export type Sink = (view: Uint8Array, release: () => void) => void

/** Sends all bytes into a sink, from the start each time it is run; ends when the last view was handed over. */
export type Pump = (sink: Sink) => Effect.Effect<void, StoreError>

export type Bytes = Stream.Stream<Uint8Array, StoreError>

const carried = new WeakMap<Bytes, Pump>()

/**
 * A stream that carries a pump. Who reads it as a stream gets copies of the views, released as they are pulled.
 * (`slice` of a `Buffer` copies nothing.)
 */
export const fromPump = (pump: Pump): Bytes => {
  const views = Stream.callback<{ readonly view: Uint8Array; readonly release: () => void }, StoreError>(
    (queue) => Queue.into(pump((view, release) => void Queue.offerUnsafe(queue, { view, release })), queue),
    { bufferSize: Number.POSITIVE_INFINITY }
  )
  const bytes: Bytes = Stream.map(views, ({ view, release }) => {
    const copy = new Uint8Array(view)
    release()
    return copy
  })
  carried.set(bytes, pump)
  return bytes
}

/** A view that is valid until it is released. */
export interface Lent {
  readonly view: Uint8Array
  readonly release: () => void
}

/** The views of a pump, not copied: the next may come only after the release of the last. */
export const lent = (bytes: Bytes): Effect.Effect<Queue.Dequeue<Lent, StoreError | Cause.Done>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<Lent, StoreError | Cause.Done>()
    const pumping = pumpOf(bytes)((view, release) => void Queue.offerUnsafe(queue, { view, release }))
    yield* Effect.forkScoped(Queue.into(pumping, queue))
    return queue
  })

/** The pump a stream carries, or one that runs the stream. */
export const pumpOf = (bytes: Bytes): Pump =>
  carried.get(bytes) ??
    ((sink) =>
      Stream.runForEach(
        bytes,
        (view) =>
          view.length === 0 ? Effect.void : Effect.callback<void, StoreError>((resume) => {
            attempt(() => sink(view, () => resume(Effect.void)), (error) => resume(Effect.fail(error)))
          })
      ))

/** Runs what a sink does; its `StoreError` goes to `failed`, anything else is a bug. */
export const attempt = (run: () => void, failed: (error: StoreError) => void): void => {
  try {
    run()
  } catch (error) {
    if (isStoreError(error)) failed(error)
    else throw error
  }
}

/** The same bytes; each run notes whether they failed by themselves, not because of where they went. */
export const watched = (pump: Pump, noted: (failure: StoreError | undefined) => void): Pump => (sink) =>
  Effect.suspend(() => {
    let isSinks = false
    noted(undefined)
    const run = pump((view, release) =>
      attempt(() => sink(view, release), (error) => {
        isSinks = true
        throw error
      })
    )
    return Effect.tapError(run, (error) => Effect.sync(() => isSinks ? undefined : noted(error)))
  })

const isStoreError = (error: unknown): error is StoreError =>
  typeof error === "object" && error !== null && (error as { _tag?: unknown })._tag === "StoreError"

/** A file with exactly these bytes, synced and found to fit the digest, that nobody else needs. */
export interface SpareFile {
  readonly path: string
  readonly digest: Digest
  readonly size: number
}

const spares = new WeakMap<Bytes, SpareFile>()

/** The same bytes; who stores them may move the file into place and read nothing. */
export const withSpareFile = (bytes: Bytes, file: SpareFile): Bytes => {
  spares.set(bytes, file)
  return bytes
}

export const spareFileOf = (bytes: Bytes): SpareFile | undefined => spares.get(bytes)

/** Content that lies in a store, and can be read again as long as the store is there. */
export interface Stored {
  /** Requests that a read takes. */
  readonly requests: number
  /** Keeps it readable beyond the scope in which it was found. */
  readonly hold: Effect.Effect<void, StoreError>
}

const stores = new WeakMap<Bytes, Stored>()

/** The same bytes; who has no use for them now may come back for them. What is `tapped` or `verified` keeps this. */
export const asStored = (bytes: Bytes, where: Stored): Bytes => {
  stores.set(bytes, where)
  return bytes
}

export const storedOf = (bytes: Bytes): Stored | undefined => stores.get(bytes)

const checks = new WeakMap<Bytes, Digest>()

/**
 * The same bytes, which fail unless they turn out to be those of the digest: who stores them need not hash them again.
 * What is `tapped` keeps this.
 */
export const asChecked = (bytes: Bytes, digest: Digest): Bytes => {
  checks.set(bytes, digest)
  return bytes
}

/** Whether a failure, before they end, is sure for bytes that are not the digest's. */
export const isChecked = (bytes: Bytes, digest: Digest): boolean => checks.get(bytes) === digest

const storedLike = (original: Bytes, bytes: Bytes): Bytes => {
  const where = stores.get(original)
  return where === undefined ? bytes : asStored(bytes, where)
}

/** Bytes that are already here. */
export const fromBytes = (bytes: Uint8Array): Bytes =>
  fromPump((sink) =>
    Effect.suspend(() => {
      let failure: StoreError | undefined
      if (bytes.length > 0) attempt(() => sink(bytes, () => {}), (error) => failure = error)
      return failure === undefined ? Effect.void : Effect.fail(failure)
    })
  )

/** The whole in memory; more than `limit` bytes fail with `SizeLimit`. */
export const collect = (bytes: Bytes, limit: number): Effect.Effect<Uint8Array, StoreError> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let size = 0
    return Effect.map(
      pumpOf(bytes)((view, release) => {
        size += view.length
        if (size > limit) throw storeError("", "SizeLimit", `size limit exceeded: more than ${limit} bytes`)
        parts.push(new Uint8Array(view))
        release()
      }),
      () => parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    )
  })

/** The same bytes, counted and hashed on the way: they fail unless size and digest are the descriptor's (faults C01, C02). */
export const verified = (bytes: Bytes, { digest, size }: Descriptor): Bytes =>
  storedLike(
    bytes,
    fromPump((sink) =>
      Effect.suspend(() => {
        const hash = hasher(algorithmOf(digest))
        let received = 0
        return Effect.flatMap(
          pumpOf(bytes)((view, release) => {
            received += view.length
            if (received > size) throw storeError("", "SizeMismatch", `size limit exceeded: more than ${size} bytes`)
            hash.update(view)
            sink(view, release)
          }),
          () => {
            if (received !== size) {
              return Effect.fail(
                storeError("", "SizeMismatch", `short read [expected ${size}, received ${received}]: EOF`)
              )
            }
            const calculated = `${algorithmOf(digest)}:${hash.hex()}`
            return calculated === digest ? Effect.void : Effect.fail(
              storeError("", "DigestMismatch", `digest mismatch [expected ${digest}, calculated ${calculated}]: EOF`)
            )
          }
        )
      })
    )
  )

/** The same bytes, each view told to `seen` before it goes on. */
export const tapped = (bytes: Bytes, seen: (view: Uint8Array) => void): Bytes => {
  const same = storedLike(
    bytes,
    fromPump((sink) =>
      pumpOf(bytes)((view, release) => {
        seen(view)
        sink(view, release)
      })
    )
  )
  const digest = checks.get(bytes)
  return digest === undefined ? same : asChecked(same, digest)
}
