import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Fiber, Layer, Queue, Sink, Stdio, Stream, Terminal } from "effect"
import { TestClock } from "effect/testing"
import { CopyEvent, CopyStep, type Counter } from "../../../src/schemas/Copy.ts"
import type { Descriptor } from "../../../src/schemas/Descriptor.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { Globals } from "../../../src/services/Globals.ts"
import { Clearing, MoreLines, Progress } from "../../../src/services/Progress.ts"
import { apply, frame, start } from "../../../src/services/progress/frame.ts"
import * as terminal from "../../../src/services/progress/terminal.ts"

const descriptor = (letter: string, size: number): Descriptor => ({
  mediaType: "application/octet-stream",
  digest: Digest.make(`sha256:${letter.repeat(64)}`),
  size
})
const blob = (letter: string, size: number) =>
  CopyStep.Blob({ id: letter, lane: "content", descriptor: descriptor(letter, size), needs: [], isKnownAbsent: false })

const planned = (step: CopyStep) => CopyEvent.Planned({ step })
const started = (step: CopyStep, moved: Counter) => CopyEvent.Started({ step, moved })
const finished = (step: CopyStep) => CopyEvent.Finished({ step, how: "copied" })

describe("a frame", () => {
  it("shows finished, active and waiting blobs, then the summary", () => {
    const state = start()
    const [a, b, c, d] = [blob("a", 1_000), blob("b", 10_000_000), blob("c", 2_000_000), blob("d", 500)]
    for (const step of [a, b, c, d]) apply(state, planned(step))
    apply(state, started(a, { bytes: 1_000 }))
    apply(state, finished(a))
    apply(state, started(b, { bytes: 1_234_000 }))
    apply(state, started(c, { bytes: 0 }))
    assert.deepStrictEqual(frame(state, 100, 7), [
      "sha256:aaaaaaa [========================================] 100.00% 1.000kB/1.000kB",
      "sha256:bbbbbbb [====>                                   ]  12.34% 1.234MB/10.000MB",
      "sha256:ccccccc [>                                       ]   0.00% 0.000B/2.000MB",
      "Manifests: 0/0 | Blobs: 1.235MB copied, 0.000B skipped, 10.767MB queued | Elapsed: 7s"
    ])
  })

  it("shows at most two finished and two waiting blobs, and the busiest first", () => {
    const state = start()
    for (const letter of "abc") {
      apply(state, started(blob(letter, 10), { bytes: 10 }))
      apply(state, finished(blob(letter, 10)))
    }
    apply(state, started(blob("d", 10), { bytes: 1 }))
    apply(state, started(blob("e", 10), { bytes: 2 }))
    for (const letter of "123") apply(state, started(blob(letter, 10), { bytes: 0 }))
    assert.strictEqual(frame(state, 80, 0).map((line) => line[7]).join(""), "bced12t")
  })

  it("fits the bar to the terminal", () => {
    const state = start()
    apply(state, started(blob("a", 1_000), { bytes: 500 }))
    assert.strictEqual(frame(state, 64, 0)[0], "sha256:aaaaaaa [=========>         ]  50.00% 500.000B/1.000kB")
    assert.strictEqual(frame(state, 20, 0)[0], "sha256:aaaaaaa [=====>    ]  50.00% 500.000B/1.000kB")
  })

  it("counts what was there already as skipped", () => {
    const state = start()
    apply(state, planned(blob("a", 1_000)))
    apply(state, CopyEvent.Finished({ step: blob("a", 1_000), how: "present" }))
    assert.deepStrictEqual(frame(state, 80, 0), [
      "Manifests: 0/0 | Blobs: 0.000B copied, 1.000kB skipped | Elapsed: 0s"
    ])
  })
})

/** A terminal 100 columns wide that keeps what is written to stderr. */
const screen = (isTerminal: boolean, widths: Array<number> = []) => {
  const written: Array<string> = []
  const keep = Sink.forEach((text: string | Uint8Array) => Effect.sync(() => void written.push(String(text))))
  const layer = terminal.layer.pipe(
    Layer.provide(Layer.mergeAll(
      Stdio.layerTest({ stderrIsTerminal: Effect.succeed(isTerminal), stderr: () => keep }),
      Layer.succeed(
        Terminal.Terminal,
        Terminal.make({
          columns: Effect.sync(() => widths.shift() ?? 100),
          rows: Effect.succeed(25),
          size: Effect.never,
          readInput: Effect.never,
          readLine: Effect.never,
          display: () => Effect.void
        })
      )
    ))
  )
  return { written, layer }
}

describe("progress on a terminal", () => {
  it.effect("is redrawn when something changed and leaves the summary", () =>
    Effect.gen(function*() {
      const { layer, written } = screen(true)
      const events = yield* Queue.unbounded<CopyEvent>()
      const moved = { bytes: 0 }
      const running = yield* Effect.forkChild(
        Effect.flatMap(Progress, ({ report }) => report(Stream.take(Stream.fromQueue(events), 3))).pipe(
          Effect.provide(layer)
        )
      )
      yield* Queue.offerAll(events, [planned(blob("a", 1_000)), started(blob("a", 1_000), moved)])
      yield* TestClock.adjust(250)
      moved.bytes = 500
      yield* TestClock.adjust(250)
      yield* TestClock.adjust(250)
      moved.bytes = 1_000
      yield* Queue.offer(events, finished(blob("a", 1_000)))
      yield* Fiber.join(running)
      assert.deepStrictEqual(written, [
        "sha256:aaaaaaa [>                                       ]   0.00% 0.000B/1.000kB\n" +
        "Manifests: 0/0 | Blobs: 0.000B copied, 0.000B skipped, 1.000kB queued | Elapsed: 0s\n",
        "\u001b[2F\u001b[0Jsha256:aaaaaaa [====================>                   ]  50.00% 500.000B/1.000kB\n" +
        "Manifests: 0/0 | Blobs: 500.000B copied, 0.000B skipped, 500.000B queued | Elapsed: 0s\n",
        "\u001b[2F\u001b[0JManifests: 0/0 | Blobs: 1.000kB copied, 0.000B skipped | Elapsed: 0s\n"
      ])
    }))

  it.effect("makes way for other output, and shows nothing while there is nothing to come", () =>
    Effect.gen(function*() {
      const { layer, written } = screen(true)
      let lines: ReadonlyArray<string> | undefined
      const printed = (text: string) =>
        Effect.gen(function*() {
          yield* yield* Clearing
          written.push(text)
        })
      yield* Effect.flatMap(Progress, ({ report }) =>
        report(Stream.fromEffect(Effect.gen(function*() {
          yield* Effect.sleep(300)
          yield* printed("one\n")
          lines = ["at work"]
          yield* Effect.sleep(300)
          yield* printed("two\n")
          return planned(blob("a", 1_000))
        })))).pipe(
          Effect.provide(layer),
          Effect.provideService(MoreLines, () => lines),
          Effect.forkChild,
          Effect.tap(TestClock.adjust(300)),
          Effect.tap(TestClock.adjust(300)),
          Effect.flatMap(Fiber.join)
        )
      assert.deepStrictEqual(written.filter((it) => it !== ""), [
        "one\n",
        "at work\nManifests: 0/0 | Blobs: 0.000B copied, 0.000B skipped | Elapsed: 0s\n",
        "\u001b[2F\u001b[0J",
        "two\n",
        "Manifests: 0/0 | Blobs: 0.000B copied, 0.000B skipped, 1.000kB queued | Elapsed: 0s\n"
      ])
    }))

  it.effect("stands below what is logged meanwhile", () =>
    Effect.gen(function*() {
      const { layer, written } = screen(true)
      const error = (text: string) => void written.push(`${text}\n`)
      yield* Effect.flatMap(Progress, ({ report }) =>
        report(Stream.fromEffect(Effect.gen(function*() {
          yield* Console.error("before")
          yield* Effect.sleep(300)
          yield* Console.error("above")
          yield* Console.error("above too")
          return planned(blob("a", 1_000))
        })))).pipe(
          Effect.provide(layer),
          Effect.provideService(Console.Console, { ...globalThis.console, error }),
          Effect.forkChild,
          Effect.tap(TestClock.adjust(300)),
          Effect.flatMap(Fiber.join)
        )
      assert.deepStrictEqual(written, [
        "before\n",
        "Manifests: 0/0 | Blobs: 0.000B copied, 0.000B skipped | Elapsed: 0s\n",
        "\u001b[1F\u001b[0Jabove\n",
        "above too\n",
        "Manifests: 0/0 | Blobs: 0.000B copied, 0.000B skipped, 1.000kB queued | Elapsed: 0s\n"
      ])
    }))

  it.effect("leaves nothing behind when nothing was to be copied", () =>
    Effect.gen(function*() {
      const { layer, written } = screen(true, [20])
      yield* Effect.flatMap(Progress, ({ report }) => report(Stream.fromEffectDrain(Effect.sleep(300)))).pipe(
        Effect.provide(layer),
        Effect.forkChild,
        Effect.tap(TestClock.adjust(300)),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(written, ["Manifests: 0/0 | Blo\n", "\u001b[1F\u001b[0J"])
    }))

  it.effect("keeps to the width, and clears the rows that lines take once the terminal is narrower", () =>
    Effect.gen(function*() {
      const { layer, written } = screen(true, [20, 10])
      const events = yield* Queue.unbounded<CopyEvent>()
      const running = yield* Effect.forkChild(
        Effect.flatMap(Progress, ({ report }) => report(Stream.take(Stream.fromQueue(events), 3))).pipe(
          Effect.provide(layer)
        )
      )
      yield* Queue.offerAll(events, [planned(blob("a", 1_000)), started(blob("a", 1_000), { bytes: 0 })])
      yield* TestClock.adjust(250)
      yield* TestClock.adjust(250)
      yield* Queue.offer(events, finished(blob("a", 1_000)))
      yield* Fiber.join(running)
      assert.deepStrictEqual(written, [
        "sha256:aaaaaaa [>   \nManifests: 0/0 | Blo\n",
        "\u001b[4F\u001b[0Jsha256:aaa\nManifests:\n",
        "\u001b[2F\u001b[0JManifests: 0/0 | Blobs: 1.000kB copied, 0.000B skipped | Elapsed: 0s\n"
      ])
    }))

  for (const [what, isTerminal, isVerbose] of [["a pipe", false, false], ["log lines", true, true]] as const) {
    it.effect(`is silent for ${what}`, () =>
      Effect.gen(function*() {
        const { layer, written } = screen(isTerminal)
        const { report } = yield* Effect.provide(Progress, layer)
        yield* report(Stream.make(planned(blob("a", 1))))
        assert.deepStrictEqual(written, [])
      }).pipe(
        Effect.provideService(Globals, { hosts: [], userAgent: "", verbosity: "WARN", isVerbose, logOptions: [] })
      ))
  }
})
