/**
 * Admits requests to hosts: so many at once, by how the host takes them, so many a second, small ones first.
 *
 * A blob copy holds a place at both of its hosts. It takes the two in one step,
 * so two copies in opposite directions never wait for each other.
 */
import { Clock, Context, Effect, Layer, Option } from "effect"
import type { Scope } from "effect"
import type { Host } from "../schemas/Host.ts"
import type { Quota } from "../schemas/Quota.ts"
import { Hosts } from "./Hosts.ts"
import { choose } from "./rateLimiter/choose.ts"
import { StreamWindow, Window } from "./rateLimiter/window.ts"

export interface Demand {
  readonly kind: "head" | "manifest" | "query" | "blob"
  /** Bytes, 0 when unknown. */
  readonly size: number
}

export class RateLimiter extends Context.Service<RateLimiter, {
  /** Holds places at the named hosts for all of an effect. Requests inside it ask for no second one. */
  readonly admit: (
    hosts: ReadonlyArray<string>,
    demand: Demand
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Holds a place until the scope ends: as long as a body is being read. */
  readonly enter: (host: string, demand: Demand) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Runs an effect at a place that nobody else wants just now, if there is one; else nothing is run. Requests inside it
   * ask for no other place.
   */
  readonly spare: (
    host: string,
    demand: Demand
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /**
   * Notes what became of a request: the milliseconds until its answer began; none when the host refused it as one too
   * many, or lost its connection.
   */
  readonly note: (host: string, answered: number | undefined) => void
  /** Notes what a host says of its pull limit. */
  readonly observe: (host: string, quota: Quota) => Effect.Effect<void>
  readonly quota: (host: string) => Effect.Effect<Option.Option<Quota>>
}>()("regclient/services/RateLimiter") {
  static readonly layer = Layer.effect(
    RateLimiter,
    Effect.gen(function*() {
      const hosts = yield* Hosts
      const admission = makeAdmission()
      const quotas = new Map<string, Quota>()

      const load = (name: string) =>
        admission.known.has(name)
          ? Effect.void
          : Effect.map(hosts.get(name), (host) => admission.known.set(name, host))

      const take = (names: ReadonlyArray<string>, demand: Demand, restore: Restore) =>
        names.every((name) => admission.known.has(name))
          ? admission.take(names, demand, restore)
          : Effect.andThen(Effect.forEach(names, load, { discard: true }), admission.take(names, demand, restore))

      const admit = (names: ReadonlyArray<string>, demand: Demand) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(HeldHosts, (held) => {
            const wanted = [...new Set(names)].filter((name) => !held.has(name))
            if (wanted.length === 0) return restore(effect)
            const inside = Effect.provideService(effect, HeldHosts, new Set([...held, ...wanted]))
            return Effect.flatMap(
              take(wanted, demand, restore),
              (release) => Effect.ensuring(restore(timed(inside, wanted, demand)), release)
            )
          })
        )

      /** A stream that ends well tells of the links it went over. */
      const timed = <A, E, R>(effect: Effect.Effect<A, E, R>, names: ReadonlyArray<string>, demand: Demand) =>
        !isBig(demand) || demand.size === 0 ? effect : Effect.gen(function*() {
          const began = yield* Clock.currentTimeMillis
          const result = yield* effect
          const took = (yield* Clock.currentTimeMillis) - began
          for (const name of names) admission.streamed(name, demand.size, took)
          return result
        })

      const enter = (name: string, demand: Demand): Effect.Effect<void, never, Scope.Scope> =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(HeldHosts, (held) =>
            Effect.andThen(
              held.has(name)
                ? load(name)
                : Effect.flatMap(take([name], demand, restore), (release) => Effect.addFinalizer(() => release)),
              Effect.suspend(() => admission.isSpaced(name) ? restore(admission.space(name)) : Effect.void)
            ))
        )

      const spare = (name: string, demand: Demand) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(
            HeldHosts,
            (held) =>
              Effect.flatMap(
                Effect.andThen(load(name), Effect.sync(() => admission.takeSpare(name, demand))),
                (release) => {
                  if (release === undefined) return Effect.succeedNone
                  const inside = Effect.provideService(effect, HeldHosts, new Set([...held, name]))
                  return Effect.ensuring(Effect.asSome(restore(inside)), release)
                }
              )
          )
        )

      return RateLimiter.of({
        admit,
        enter,
        spare,
        note: admission.note,
        observe: (name, quota) => Effect.sync(() => void quotas.set(name, quota)),
        quota: (name) => Effect.sync(() => Option.fromUndefinedOr(quotas.get(name)))
      })
    })
  )
}

/** The hosts at which the fiber holds a place already. */
const HeldHosts = Context.Reference<ReadonlySet<string>>("regclient/services/RateLimiter/HeldHosts", {
  defaultValue: () => new Set<string>()
})

/** Without `reqConcurrent`: streams of blobs above `bigBlob` bytes, and everything else, at first and at most. */
const bigBlob = 1024 * 1024
const bigPlaces = [3, 6] as const
const smallPlaces = [8, 16] as const

/** Small places that stay free of what asks for spare ones: who comes next need not wait for it. */
const keptFree = 2

/** A blob of unknown size may be big. */
const isBig = ({ kind, size }: Demand): boolean => kind === "blob" && (size > bigBlob || size === 0)

/** Makes the part of an uninterruptible effect interruptible again that waits. */
type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface Entry {
  readonly hosts: ReadonlyArray<string>
  readonly demand: Demand
  /** Others admitted before it although it was older. */
  overtaken: number
  resume: () => void
}

/** Of one host; `all` where its configuration limits everything together. */
interface Windows {
  readonly all?: Window
  readonly big: StreamWindow
  readonly small: Window
}

/** Times the oldest is overtaken before its hosts are kept free for it. */
const patience = 32

/** The places of all hosts. Every change is one synchronous pass: who finds a place at each of its hosts takes them all. */
const makeAdmission = () => {
  const known = new Map<string, Host>()
  const running = new Map<string, Array<Demand>>()
  const nextStart = new Map<string, number>()
  let waiting: Array<Entry> = []

  const windows = new Map<string, Windows>()

  const runningAt = (host: string): ReadonlyArray<Demand> => running.get(host) ?? []
  const windowsOf = (host: string): Windows => {
    const found = windows.get(host)
    if (found !== undefined) return found
    const total = known.get(host)?.reqConcurrent ?? 0
    const made = {
      ...(total > 0 ? { all: new Window(total, total) } : {}),
      big: new StreamWindow(...bigPlaces),
      small: new Window(...smallPlaces)
    }
    windows.set(host, made)
    return made
  }
  const places = (host: string, demand: Demand): number => {
    const { all, big, small } = windowsOf(host)
    if (all !== undefined) return all.size - runningAt(host).length
    const alike = runningAt(host).filter((it) => isBig(it) === isBig(demand)).length
    return (isBig(demand) ? big : small).size - alike
  }
  const isAwaited = (host: string, isAlike: (demand: Demand) => boolean): boolean =>
    waiting.some(({ demand, hosts }) => hosts.includes(host) && isAlike(demand))
  /** A place is kept for the oldest when it was passed over too often: one that needs two hosts may never find both free. */
  const isAble = (entry: Entry): boolean => {
    const oldest = waiting[0]
    const kept = oldest !== undefined && oldest !== entry && oldest.overtaken >= patience ? oldest.hosts : []
    return entry.hosts.every((host) => places(host, entry.demand) > (kept.includes(host) ? 1 : 0))
  }
  const settle = (): void => {
    while (waiting.length > 0) {
      const able = waiting.filter(isAble)
      const chosen = able[choose(able, runningAt) ?? -1]
      if (chosen === undefined) return
      if (chosen.overtaken >= patience) { for (const other of waiting) other.overtaken = 0 }
      for (const older of waiting) {
        if (older === chosen) break
        older.overtaken++
      }
      waiting = waiting.filter((it) => it !== chosen)
      for (const host of chosen.hosts) running.set(host, [...runningAt(host), chosen.demand])
      chosen.resume()
    }
  }
  const leave = (entry: Entry): void => {
    // Who was interrupted before it could wait is neither waiting nor running, and takes nobody's place away.
    waiting = waiting.filter((it) => it !== entry)
    for (const host of entry.hosts) running.set(host, runningAt(host).filter((it) => it !== entry.demand))
    settle()
  }

  return {
    known,
    note: (host: string, answered: number | undefined): void => {
      const { all, big, small } = windowsOf(host)
      const isFull = isAwaited(host, (demand) => all !== undefined || !isBig(demand))
      const window = all ?? small
      if (answered !== undefined) window.answered(answered, isFull)
      else for (const each of [window, big]) each.overloaded()
      settle()
    },
    streamed: (host: string, bytes: number, milliseconds: number): void => {
      windowsOf(host).big.streamed(bytes, milliseconds, isAwaited(host, isBig))
      settle()
    },
    /** Waits for places at all hosts and gives what frees them. Runs uninterruptible but for the wait itself. */
    take: (hosts: ReadonlyArray<string>, given: Demand, restore: Restore): Effect.Effect<Effect.Effect<void>> =>
      Effect.suspend(() => {
        // A copy of its own, so that leaving finds this very demand.
        const entry: Entry = { hosts, demand: { ...given }, overtaken: 0, resume: () => {} }
        const release = Effect.sync(() => leave(entry))
        let isAdmitted = false
        entry.resume = () => isAdmitted = true
        waiting.push(entry)
        settle()
        if (isAdmitted) return Effect.succeed(release)
        const wait = Effect.callback<void>((resume) => {
          if (isAdmitted) resume(Effect.void)
          else entry.resume = () => resume(Effect.void)
        })
        return Effect.as(Effect.onInterrupt(restore(wait), () => release), release)
      }),
    /** A small place at a host that nobody waits for, and what frees it; none when there is no such place. */
    takeSpare: (host: string, { size }: Demand): Effect.Effect<void> | undefined => {
      if (waiting.some(({ hosts }) => hosts.includes(host))) return undefined
      const demand: Demand = { kind: "query", size }
      const isLimited = (known.get(host)?.reqConcurrent ?? 0) > 0
      if (places(host, demand) <= (isLimited ? 0 : keptFree)) return undefined
      const entry: Entry = { hosts: [host], demand, overtaken: 0, resume: () => {} }
      running.set(host, [...runningAt(host), demand])
      return Effect.sync(() => leave(entry))
    },
    isSpaced: (name: string): boolean => (known.get(name)?.reqPerSec ?? 0) > 0,
    /** Keeps the starts of requests apart by `reqPerSec`. */
    space: (name: string): Effect.Effect<void> => {
      const rate = known.get(name)?.reqPerSec ?? 0
      if (rate <= 0) return Effect.void
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const start = Math.max(now, nextStart.get(name) ?? 0)
        nextStart.set(name, start + 1000 / rate)
        return start > now ? Effect.sleep(start - now) : Effect.void
      })
    }
  }
}
