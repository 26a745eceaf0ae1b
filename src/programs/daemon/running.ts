/** What a daemon is at, as text for whoever asks by a signal (regsync description, 2.6). */
import { formatGoDuration } from "../../lib/goDuration.ts"
import { visible } from "../../lib/visibleText.ts"
import type { SyncEvent } from "../../schemas/Sync.ts"
import type { Tended } from "./tended.ts"

interface Pair {
  readonly source: string
  readonly target: string
  readonly since: number
  /** Parts of its copy, as far as they are known, and those that are done. */
  parts: number
  done: number
  wait: string
}

/** The images at work, as far as events have told; bounded by the jobs at work and what they do at once. */
export class Running {
  readonly #jobs = new Map<string, Map<string, Pair>>()

  readonly note = (event: SyncEvent): void => {
    switch (event._tag) {
      case "JobStarted":
        this.#jobs.set(event.job, new Map())
        break
      case "JobEnded":
        this.#jobs.delete(event.job)
        break
      case "PairStarted": {
        const { job, source, target, time } = event
        this.#jobs.get(job)?.set(target, { source, target, since: time, parts: 0, done: 0, wait: "" })
        break
      }
      case "PairEnded":
        this.#jobs.get(event.result.job)?.delete(event.result.target)
        break
      case "Waiting":
        for (const pair of this.#jobs.get(event.job)?.values() ?? []) {
          if (pair.source === event.source) pair.wait = `waits for pulls, ${event.remaining} of ${event.min} are left`
        }
        break
      case "Copying": {
        const pair = this.#jobs.get(event.job)?.get(event.target)
        if (pair === undefined) break
        pair.wait = ""
        if (event.event._tag === "Planned") pair.parts++
        if (event.event._tag === "Finished") pair.done++
      }
    }
  }

  /** Entries at work with their images, then what comes next. */
  lines(entries: ReadonlyArray<Tended>, now: number): ReadonlyArray<string> {
    const next = entries.flatMap((it) => it.next === undefined || it.isGone ? [] : [it.next])
    const busy = entries.flatMap(({ isGone, running }) => running === undefined ? [] : [{ isGone, ...running }])
    return [
      `entries: ${entries.filter(({ isGone }) => !isGone).length} configured, ${busy.length} at work`,
      ...busy.flatMap(({ action, isGone, name, since }) => [
        `${name}: ${action} for ${passed(since, now)}${isGone ? ", no longer configured" : ""}`,
        ...[...this.#jobs.get(name)?.values() ?? []].map(({ done, parts, since, source, target, wait }) =>
          `  ${source} -> ${target} for ${passed(since, now)}: ${wait === "" ? `${done} of ${parts} parts` : wait}`
        )
      ]),
      ...(next.length === 0 ? [] : [`next in ${passed(now, next.reduce((a, b) => Math.min(a, b)))}`])
    ].map(visible)
  }
}

const passed = (from: number, to: number): string =>
  formatGoDuration(Math.max(0, Math.round((to - from) / 1000) * 1000))
