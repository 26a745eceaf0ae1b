/** Bars of a copy on stderr: a frame every quarter of a second when something changed, in the end the summary alone, if there is any. */
import { Clock, Console, Effect, Layer, Stdio, Stream, Terminal } from "effect"
import { Globals } from "../Globals.ts"
import { Clearing, MoreLines, Progress } from "../Progress.ts"
import { apply, frame, isIdle, redraw, start, type State, summary } from "./frame.ts"

/** Milliseconds between frames. */
const period = 250

/** Bars when stderr is a terminal and nobody asked for log lines; silence else (regctl.md, section 9). */
export const layer: Layer.Layer<Progress, never, Stdio.Stdio | Terminal.Terminal> = Layer.effect(
  Progress,
  Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    const terminal = yield* Terminal.Terminal
    const { isVerbose } = yield* Globals
    if (isVerbose || !(yield* stdio.stderrIsTerminal)) {
      return Progress.of({ report: (events) => Stream.runDrain(events) })
    }
    // A terminal that went away is no reason to stop the copy.
    const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })))
    return Progress.of({
      report: (events) =>
        Effect.gen(function*() {
          const state = start()
          const display = yield* makeDisplay(state, terminal.columns, write)
          const usual = yield* Console.Console
          // Log lines stand above the bars, which are drawn again below.
          const above = (...words: ReadonlyArray<unknown>) => usual.error(display.erase() + words.join(" "))
          const clearing = Effect.suspend(() => write(display.erase()))
          yield* Stream.runForEach(events, (event) => Effect.sync(() => apply(state, event))).pipe(
            Effect.raceFirst(Effect.forever(Effect.andThen(Effect.sleep(period), display.draw))),
            Effect.provideService(Console.Console, { ...usual, error: above }),
            Effect.provideService(Clearing, clearing),
            Effect.ensuring(display.end)
          )
        })
    })
  })
)

const makeDisplay = Effect.fnUntraced(function*(
  state: State,
  columns: Effect.Effect<number>,
  write: (text: string) => Effect.Effect<void>
) {
  const began = yield* Clock.currentTimeMillis
  const more = yield* MoreLines
  const elapsed = Effect.map(Clock.currentTimeMillis, (now) => Math.floor((now - began) / 1000))
  const width = Effect.map(columns, (it) => it || 80)
  let shown: ReadonlyArray<string> = []
  let columnsThen = 80
  const rows = (width: number) => shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0)
  // A line wider than the terminal would take further rows; what was shown takes them when the terminal became narrower.
  const show = (lines: ReadonlyArray<string>, width: number) =>
    Effect.suspend(() => {
      const isSame = lines.length === shown.length && lines.every((line, at) => line === shown[at])
      const text = redraw(rows(width), lines)
      shown = lines
      columnsThen = width
      return isSame ? Effect.void : write(text)
    })
  return {
    /** What takes away the lines shown, as if none had been. */
    erase: (): string => {
      const text = redraw(rows(columnsThen), [])
      shown = []
      return text
    },
    draw: Effect.flatMap(
      Effect.all([width, elapsed, Clock.currentTimeMillis]),
      ([columns, seconds, now]) => {
        const lines = frame(state, columns, seconds)
        const others = more(now)
        const all = others === undefined ? [] : [...lines.slice(0, -1), ...others, ...lines.slice(-1)]
        return show(all.map((line) => line.slice(0, columns)), columns)
      }
    ),
    end: Effect.flatMap(
      Effect.all([width, elapsed]),
      ([columns, seconds]) => show(isIdle(state) ? [] : [summary(state, seconds)], columns)
    )
  }
})
