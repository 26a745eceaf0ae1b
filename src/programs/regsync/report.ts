/** What a run did, for programs: one JSON object a line, a `pair` as each ends and a `summary` at the end. */
import { type Cause, Console, Effect, Fiber, Queue, Stream } from "effect"
import { asciiControls } from "../../lib/visibleText.ts"
import type { StoreError } from "../../schemas/StoreError.ts"
import type { PairResult, RunSummary } from "../../schemas/Sync.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { openOutput } from "../outputFile.ts"

export interface ReportOptions {
  /** `text` prints nothing, `json` the records. */
  readonly output: string
  /** A file for the records; `-` for stdout, empty for none. It appears when the run is over. */
  readonly report: string
}

interface Target {
  readonly write: (line: string) => Effect.Effect<void>
  readonly finish: Effect.Effect<void, StoreError>
}

const stdout: Target = { write: Console.log, finish: Effect.void }

/** Fails before anything is done when the report cannot be written. */
export const openReport = Effect.fnUntraced(function*({ output, report }: ReportOptions) {
  if (output !== "text" && output !== "json") {
    return yield* new UsageError({ message: `unknown output ${JSON.stringify(output)}: text and json are known` })
  }
  const isOnStdout = output === "json" || report === "-"
  const targets: ReadonlyArray<Target> = [
    ...(isOnStdout ? [stdout] : []),
    ...(report === "" || report === "-" ? [] : [yield* fileTarget(report)])
  ]
  const write = (record: object) => {
    const line = asciiControls(JSON.stringify(record))
    return Effect.forEach(targets, (target) => target.write(line), { discard: true })
  }
  const finish = (summary: RunSummary) =>
    Effect.andThen(
      write({ type: "summary", ...summary }),
      Effect.forEach(targets, ({ finish }) => finish, { discard: true })
    )
  return {
    pair: (result: PairResult) => write({ type: "pair", ...result }),
    finish,
    /** What is known so far is kept; the run ends with its interruption, whatever becomes of the report. */
    cutShort: (summary: RunSummary) =>
      Effect.catch(
        finish(summary),
        ({ message }) => Effect.annotateLogs(Effect.logError("Failed to write report"), { report, error: message })
      )
  }
})

/** Lines go to the file as they come; one that cannot be written any more fails at the end, not the copies. */
const fileTarget = Effect.fnUntraced(function*(path: string) {
  const file = yield* openOutput(path)
  const lines = yield* Queue.bounded<Uint8Array, Cause.Done>(256)
  const encoder = new TextEncoder()
  const writer = yield* Effect.forkScoped(
    Effect.ensuring(file.write(Stream.fromQueue(lines)), Queue.shutdown(lines))
  )
  const target: Target = {
    write: (line) => Effect.asVoid(Queue.offer(lines, encoder.encode(`${line}\n`))),
    finish: Effect.gen(function*() {
      yield* Queue.end(lines)
      yield* Fiber.join(writer)
      yield* file.finish
    })
  }
  return target
})
