/** What scripts print, as it comes: its bytes are theirs. */
import { Effect, Stdio, Stream } from "effect"
import { Clearing } from "../../services/Progress.ts"

/** Writes to a standard stream of the tool; what a terminal shows of copies makes way. */
export const writeOutput = Effect.fnUntraced(function*(stream: "stdout" | "stderr", bytes: Uint8Array) {
  const stdio = yield* Stdio.Stdio
  yield* yield* Clearing
  // Who closed a stream does not want to hear more of it; the run is told by other means.
  yield* Effect.ignore(Stream.run(Stream.make(bytes), stdio[stream]({ endOnDone: false })))
})
