/** How far a copy is, from its events: sums of what is over, and the counters of what moves, sampled when somebody looks. */
import type { CopyEvent, Counter } from "../../schemas/Copy.ts"

interface Moving {
  readonly size: number
  readonly moved: Counter
}

export interface Progress {
  /** By lane and step: what moves now, as many as a copy moves at once. */
  readonly moving: ReadonlyMap<string, Moving>
  /** Bytes of all blobs that are planned, and of those that are over, however that came. */
  readonly planned: number
  readonly over: number
  /** Bytes of the ones that were copied. */
  readonly copied: number
}

export const start: Progress = { moving: new Map(), planned: 0, over: 0, copied: 0 }

export const advance = (progress: Progress, event: CopyEvent): Progress => {
  const { step } = event
  // Manifests are small and come last; a skipped step has nothing to move.
  if (step._tag !== "Blob") return progress
  const { size } = step.descriptor
  const key = `${step.lane} ${step.id}`
  switch (event._tag) {
    case "Planned":
      return { ...progress, planned: progress.planned + size }
    case "Started":
      return { ...progress, moving: new Map([...progress.moving, [key, { size, moved: event.moved }]]) }
    case "Finished": {
      const moving = new Map(progress.moving)
      moving.delete(key)
      const copied = progress.copied + (event.how === "copied" ? size : 0)
      return { ...progress, moving, over: progress.over + size, copied }
    }
  }
}

/** Bytes now: planned, done of them, and moved over the network. */
export const sample = ({ copied, moving, over, planned }: Progress) => {
  const running = [...moving.values()].reduce((sum, { moved, size }) => sum + Math.min(moved.bytes, size), 0)
  return { total: planned, done: Math.min(planned, over + running), moved: copied + running }
}
