import { assert, describe, it } from "@effect/vitest"
import { ShownRun } from "../../../src/programs/watch/shownRun.ts"
import { CopyEvent, CopyStep } from "../../../src/schemas/Copy.ts"
import { Digest } from "../../../src/schemas/Digest.ts"
import { type PairResult, SyncEvent } from "../../../src/schemas/Sync.ts"

const target = (n: number) => `registry.example.org/app:v${n}`

const blob = (size: number) =>
  CopyStep.Blob({
    id: "one",
    lane: "content",
    needs: [],
    isKnownAbsent: false,
    descriptor: { mediaType: "application/octet-stream", digest: Digest.make(`sha256:${"a".repeat(64)}`), size }
  })

const ended = (n: number, bytes: number): SyncEvent => {
  const result: PairResult = {
    job: "app",
    source: "source",
    target: target(n),
    outcome: "copied",
    bytes,
    saved: 0,
    began: 0,
    elapsed: 1
  }
  return SyncEvent.PairEnded({ result, time: 0 })
}

const begun = (n: number, time: number) =>
  SyncEvent.PairStarted({ job: "app", source: "source", target: target(n), time })

describe("a run on a terminal", () => {
  it("says nothing before its first image", () => {
    const run = new ShownRun()
    run.note(SyncEvent.Listed({ job: "app", pairs: 3 }))
    assert.deepStrictEqual(run.lines(5_000), [])
  })

  it("shows each image at work, the rate of all, and how long the rest may take", () => {
    const run = new ShownRun()
    run.note(SyncEvent.Listed({ job: "app", pairs: 4 }))
    run.note(begun(1, 10_000))
    run.note(ended(1, 3_000_000))
    run.note(begun(2, 11_000))
    const moved = { bytes: 1_000_000 }
    const step = blob(4_000_000)
    run.note(SyncEvent.Copying({ job: "app", target: target(2), event: CopyEvent.Planned({ step }) }))
    run.note(SyncEvent.Copying({ job: "app", target: target(2), event: CopyEvent.Started({ step, moved }) }))
    assert.deepStrictEqual(run.lines(12_000), [
      "  registry.example.org/app:v2 25% 1.000MB/4.000MB",
      "Images: 1/4 | 1 at work | 2.000MB/s | about 6s left"
    ])
    moved.bytes = 3_000_000
    assert.deepStrictEqual(run.lines(13_000), [
      "  registry.example.org/app:v2 75% 3.000MB/4.000MB",
      "Images: 1/4 | 1 at work | 2.000MB/s | about 9s left"
    ])
    run.note(ended(2, 4_000_000))
    assert.deepStrictEqual(run.lines(14_000), ["Images: 2/4 | 1.750MB/s | about 4s left"])
  })
})
