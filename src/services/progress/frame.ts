/** What a terminal shows of a copy: the state of it, and one frame of it as lines. */
import { byteSize } from "../../lib/byteSize.ts"
import type { CopyEvent, CopyStep, Counter } from "../../schemas/Copy.ts"
import { isManifestType } from "../../schemas/MediaType.ts"

interface Bar {
  readonly step: CopyStep
  readonly moved: Counter
  isFinished: boolean
}

/** Changed by every event; a copy may have hundreds of thousands of steps, so what is over is only counted. */
export interface State {
  readonly queued: Map<string, number>
  readonly running: Map<string, Bar>
  /** The last two blobs that were moved. */
  finished: ReadonlyArray<Bar>
  manifests: { done: number; total: number }
  copied: number
  skipped: number
}

export const start = (): State => ({
  queued: new Map(),
  running: new Map(),
  finished: [],
  manifests: { done: 0, total: 0 },
  copied: 0,
  skipped: 0
})

const keyOf = ({ id, lane }: CopyStep): string => `${lane} ${id}`

/** One that the target has already counts, too. */
const isManifest = (step: CopyStep): boolean =>
  step._tag === "Manifest" || (step._tag === "Skip" && isManifestType(step.descriptor.mediaType))

export const apply = (state: State, event: CopyEvent): void => {
  const { step } = event
  const key = keyOf(step)
  switch (event._tag) {
    case "Planned":
      if (isManifest(step)) state.manifests.total++
      else if (step._tag === "Blob") state.queued.set(key, step.descriptor.size)
      return
    case "Started":
      state.queued.delete(key)
      if (!isManifest(step)) state.running.set(key, { step, moved: event.moved, isFinished: false })
      return
    case "Finished": {
      state.queued.delete(key)
      const bar = state.running.get(key)
      state.running.delete(key)
      if (isManifest(step)) state.manifests.done++
      else if (event.how === "copied") {
        state.copied += step.descriptor.size
        if (bar !== undefined) state.finished = [...state.finished.slice(-1), { ...bar, isFinished: true }]
      } else if (step._tag === "Blob") state.skipped += step.descriptor.size
    }
  }
}

/** Nothing was to be copied, as far as is known. */
export const isIdle = ({ copied, manifests, queued, running, skipped }: State): boolean =>
  manifests.total + manifests.done + copied + skipped + queued.size + running.size === 0

/** The bars of blobs that are moving, a few that wait and a few that just ended; then the summary. */
export const frame = (state: State, columns: number, seconds: number): ReadonlyArray<string> => {
  const running = [...state.running.values()]
  const active = running.filter(({ moved }) => moved.bytes > 0).sort((a, b) => b.moved.bytes - a.moved.bytes)
  const started = running.filter(({ moved }) => moved.bytes === 0).slice(0, 2)
  return [
    ...[...state.finished, ...active, ...started].map((bar) => barLine(bar, columns)),
    summary(state, seconds)
  ]
}

/** `Manifests: 1/2 | Blobs: 1.000MB copied, 0.000B skipped, 2.000MB queued | Elapsed: 3s`. */
export const summary = (state: State, seconds: number): string => {
  const running = [...state.running.values()]
  const moved = running.reduce((sum, bar) => sum + bar.moved.bytes, 0)
  const left = running.reduce((sum, bar) => sum + Math.max(0, bar.step.descriptor.size - bar.moved.bytes), 0)
  const queued = [...state.queued.values()].reduce((sum, size) => sum + size, left)
  const { done, total } = state.manifests
  return `Manifests: ${done}/${total} | Blobs: ${byteSize(state.copied + moved)} copied, ` +
    `${byteSize(state.skipped)} skipped${queued > 0 ? `, ${byteSize(queued)} queued` : ""} | Elapsed: ${seconds}s`
}

/** Columns of a line besides the bar's cells, at the longest numbers, so that bars keep their size. */
const fixedColumns = "sha256:aaaaaaa [] 100.00% 999.999MB/999.999MB".length

/** Digest, bar, share and sizes; the bar takes what the terminal leaves, from 10 to 40 cells. */
const barLine = ({ isFinished, moved, step: { descriptor } }: Bar, columns: number): string => {
  const { size } = descriptor
  const done = isFinished ? size : Math.min(moved.bytes, size)
  const share = size === 0 ? 1 : done / size
  const name = `${descriptor.digest.slice(0, 14)} `
  const numbers = `${(share * 100).toFixed(2).padStart(6)}% ${byteSize(done)}/${byteSize(size)}`
  const cells = Math.max(10, Math.min(40, columns - fixedColumns))
  const filled = Math.floor(share * cells)
  const bar = filled >= cells ? "=".repeat(cells) : `${"=".repeat(filled)}>`.padEnd(cells)
  return `${name}[${bar}] ${numbers}`
}

/** Moves back over the lines shown before, clears below and writes the new ones. */
export const redraw = (before: number, lines: ReadonlyArray<string>): string =>
  `${before === 0 ? "" : `\u001b[${before}F\u001b[0J`}${lines.map((line) => `${line}\n`).join("")}`
