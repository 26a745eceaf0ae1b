/** What a terminal shows of a run besides the bars of its blobs: its images, how fast they come, how long it may take. */
import { byteSize } from "../../lib/byteSize.ts"
import { formatGoDuration } from "../../lib/goDuration.ts"
import { visible } from "../../lib/visibleText.ts"
import type { SyncEvent } from "../../schemas/Sync.ts"
import { advance, type Progress, sample, start } from "./progress.ts"

/** Images at work that have a line of their own. */
const most = 4

/** Changed by every event of a run. */
export class ShownRun {
  private readonly moving = new Map<string, Progress>()
  private listed = 0
  private ended = 0
  /** Bytes of images that are over. */
  private moved = 0
  private began: number | undefined

  note(event: SyncEvent): void {
    switch (event._tag) {
      case "Listed":
        this.listed += event.pairs
        return
      case "PairStarted":
        this.began ??= event.time
        return
      case "Copying":
        this.moving.set(event.target, advance(this.moving.get(event.target) ?? start, event.event))
        return
      case "PairEnded":
        this.moving.delete(event.result.target)
        this.moved += event.result.bytes
        this.ended++
    }
  }

  /** A run that only lists and looks has nothing to show. */
  get hasBegun(): boolean {
    return this.began !== undefined
  }

  /** At a time in milliseconds since 1970. */
  lines(now: number): ReadonlyArray<string> {
    if (this.began === undefined) return []
    const elapsed = Math.max(1, now - this.began)
    const samples = [...this.moving].map(([target, progress]) => ({ target, ...sample(progress) }))
    const bytes = samples.reduce((sum, { moved }) => sum + moved, this.moved)
    const total = Math.max(this.listed, this.ended + this.moving.size)
    const left = total - this.ended
    const parts = [
      `Images: ${this.ended}/${total}`,
      ...(samples.length === 0 ? [] : [`${samples.length} at work`]),
      `${byteSize(bytes / elapsed * 1000)}/s`,
      // The images to come are taken to be like those that were.
      ...(this.ended === 0 || left === 0 ? [] : [`about ${shortly(elapsed / this.ended * left)} left`])
    ]
    return [
      ...samples.slice(0, most).map(({ done, target, total }) =>
        `  ${visible(target)} ${percent(done, total)} ${byteSize(done)}/${byteSize(total)}`
      ),
      parts.join(" | ")
    ]
  }
}

const percent = (done: number, total: number): string => `${(total === 0 ? 100 : done / total * 100).toFixed(0)}%`

const shortly = (milliseconds: number): string => formatGoDuration(Math.ceil(milliseconds / 1000) * 1000)
