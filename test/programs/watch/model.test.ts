import { assert, describe, it } from "@effect/vitest"
import { empty, type JobState, type Model, observe } from "../../../src/programs/watch/model.ts"
import { sample } from "../../../src/programs/watch/progress.ts"
import { SyncEvent } from "../../../src/schemas/Sync.ts"
import { blob, configuredWith, copying, ended, jobOf, pairOf, scriptOf } from "./watching.ts"

const after = (...events: ReadonlyArray<SyncEvent>): Model =>
  events.reduce(observe, observe(empty(500), configuredWith(jobOf("alpine"), jobOf("debian", "15 3 * * *"))))

const jobAfter = (...events: ReadonlyArray<SyncEvent>): JobState => {
  const job = after(...events).jobs.get("alpine")
  assert.isDefined(job)
  return job
}

const began = SyncEvent.JobStarted({ job: "alpine", action: "copy", time: 1000 })
const jobEnded = (failures: number, more: { readonly error?: string; readonly reason?: string } = {}) =>
  SyncEvent.JobEnded({ job: "alpine", failures, elapsed: 2000, time: 3000, ...more })
const pairStarted = SyncEvent.PairStarted({ ...pairOf("alpine", "3.20"), time: 1100 })
const waiting = SyncEvent.Waiting({ ...pairOf("alpine", "3.20"), remaining: 4, limit: 100, min: 10, sleep: 900_000 })

describe("the model of a daemon", () => {
  it("knows the jobs of the configuration in their order", () => {
    const model = after()
    assert.deepStrictEqual([...model.jobs.keys()], ["alpine", "debian"])
    const { schedule, source, target } = jobAfter()
    assert.deepStrictEqual([source, target, schedule], [
      "docker.io/library/alpine",
      "registry:5000/mirror/alpine",
      "@every 1h"
    ])
  })

  it("shows an interval as a timetable would say it", () => {
    const model = observe(empty(0), configuredWith(jobOf("a", "", { interval: 5_400_000 }), jobOf("b", "")))
    assert.deepStrictEqual([...model.jobs.values()].map(({ schedule }) => schedule), ["@every 1h30m0s", ""])
  })

  const outcomes: ReadonlyArray<readonly [string, ReadonlyArray<SyncEvent>, Readonly<Record<string, number>>]> = [
    ["a copied image", [ended("alpine", "1")], { pairs: 1, copied: 1, bytes: 1000, saved: 200, failures: 0, stale: 0 }],
    ["a refreshed image", [ended("alpine", "1", { outcome: "refreshed" })], { pairs: 1, copied: 1 }],
    ["a current image", [ended("alpine", "1", { outcome: "current", bytes: 0 })], { pairs: 1, copied: 0, bytes: 0 }],
    ["an ignored image", [ended("alpine", "1", { outcome: "ignored" })], { pairs: 1, copied: 0, failures: 0 }],
    ["a stale image", [ended("alpine", "1", { outcome: "stale" })], { pairs: 1, stale: 1, copied: 0 }],
    ["a failed image", [ended("alpine", "1", { outcome: "failed" })], { pairs: 1, failures: 1, copied: 0 }],
    ["an image of another job", [ended("debian", "1")], { pairs: 0, bytes: 0 }],
    ["an image of an unknown job", [ended("stranger", "1")], { pairs: 0, bytes: 0 }]
  ]
  it.each(outcomes)("sums up %s in the run at work", (_, events, expected) => {
    assert.deepInclude(jobAfter(began, ...events).current, { action: "copy", began: 1000, ...expected })
  })

  it("keeps a run that ended and what is due next", () => {
    const job = jobAfter(
      began,
      SyncEvent.Listed({ job: "alpine", pairs: 3 }),
      ended("alpine", "1"),
      jobEnded(0),
      SyncEvent.Scheduled({ job: "alpine", next: 9000 })
    )
    assert.deepStrictEqual(job.runs, [
      {
        action: "copy",
        began: 1000,
        elapsed: 2000,
        pairs: 1,
        copied: 1,
        stale: 0,
        failures: 0,
        bytes: 1000,
        saved: 200
      }
    ])
    assert.deepStrictEqual([job.current, job.listed, job.next], [undefined, undefined, 9000])
  })

  it("adds up the images of repositories that are found one by one", () => {
    const found = [3, 4].map((pairs) => SyncEvent.Listed({ job: "alpine", pairs }))
    assert.strictEqual(jobAfter(began, ...found).listed, 7)
    assert.isUndefined(jobAfter(began, ...found, began).listed)
  })

  it("forgets a time that is no more", () => {
    const job = jobAfter(SyncEvent.Scheduled({ job: "alpine", next: 9000 }), SyncEvent.Scheduled({ job: "alpine" }))
    assert.isUndefined(job.next)
  })

  it("keeps a run whose beginning it missed", () => {
    assert.deepInclude(jobAfter(jobEnded(1)).runs[0], { began: 1000, elapsed: 2000, failures: 1 })
  })

  it("keeps the last 100 runs of a job and the last 50 failures", () => {
    const events = Array.from({ length: 130 }, (_, at) => [
      SyncEvent.JobStarted({ job: "alpine", action: "copy", time: at }),
      ended("alpine", `${at}`, { outcome: "failed", reason: "NotFound", error: "not found" }),
      SyncEvent.JobEnded({ job: "alpine", failures: 1, elapsed: 1, time: at + 1 })
    ]).flat()
    const model = after(...events)
    const runs = model.jobs.get("alpine")?.runs ?? []
    assert.deepStrictEqual([runs.length, runs[0]?.began, runs.at(-1)?.began], [100, 30, 129])
    const targets = model.failures.map(({ target }) => target)
    assert.deepStrictEqual(
      [targets.length, targets[0], targets.at(-1)],
      [50, "registry:5000/mirror/alpine:129", "registry:5000/mirror/alpine:80"]
    )
  })

  it("works on 200 pairs of a job at most", () => {
    const events = Array.from(
      { length: 300 },
      (_, at) => SyncEvent.PairStarted({ ...pairOf("alpine", `${at}`), time: 1 })
    )
    assert.strictEqual(jobAfter(began, ...events).pairs.size, 200)
  })

  it("tells of a failure that belongs to no image", () => {
    const model = after(began, jobEnded(1, { error: "failed to list tags", reason: "Unauthorized" }))
    assert.deepStrictEqual(model.failures, [{
      job: "alpine",
      source: "docker.io/library/alpine",
      target: "registry:5000/mirror/alpine",
      error: "failed to list tags",
      reason: "Unauthorized",
      time: 3000
    }])
  })

  const errors: ReadonlyArray<readonly [string, string, string]> = [
    ["user info", "get https://ada:p@ss@host/v2/: refused", "get https://[censored]@host/v2/: refused"],
    ["queries", "get https://host/blob?sig=abc123: refused", "get https://host/blob?[censored] refused"],
    ["controls", "a\u001b[31m\nb\u202e", "a\\x1b[31m\\nb\\u202e"]
  ]
  it.each(errors)("shows no %s of an error", (_, error, expected) => {
    const model = after(ended("alpine", "1", { outcome: "failed", error }))
    assert.strictEqual(model.failures[0]?.error, expected)
  })

  it("cuts what nobody reads to its end", () => {
    const model = after(ended("alpine", "1", { outcome: "failed", error: "x".repeat(100_000) }))
    assert.strictEqual(model.failures[0]?.error.length, 2001)
  })

  it("shows a wait for pulls until the copy goes on", () => {
    const layer = blob("1", 50)
    const waits = jobAfter(began, pairStarted, waiting)
    assert.deepStrictEqual([...waits.pairs.values()].map(({ wait }) => wait), [
      { remaining: 4, limit: 100, min: 10, sleep: 900_000 }
    ])
    const goesOn = jobAfter(began, pairStarted, waiting, copying("alpine", "3.20", layer.planned))
    assert.deepStrictEqual([...goesOn.pairs.values()].map(({ wait }) => wait), [undefined])
  })

  it("learns of pull limits from waits and from registries", () => {
    const model = after(
      began,
      pairStarted,
      waiting,
      SyncEvent.Limited({ registry: "ghcr.io", remaining: 7, limit: 60 }),
      SyncEvent.Limited({ registry: "docker.io", remaining: 3, limit: 100 })
    )
    assert.deepStrictEqual([...model.quotas], [
      ["docker.io", { limit: 100, remaining: 3 }],
      ["ghcr.io", { limit: 60, remaining: 7 }]
    ])
  })

  it("samples the counters of what moves", () => {
    const [one, two, three] = [blob("1", 100), blob("2", 50), blob("3", 30)]
    const [moved, other] = [{ bytes: 0 }, { bytes: 0 }]
    const events = [
      one.planned,
      two.planned,
      three.planned,
      one.started(moved),
      two.started(other),
      three.finished("present"),
      two.finished("copied")
    ]
    const pair = jobAfter(began, pairStarted, ...events.map((it) => copying("alpine", "3.20", it)))
      .pairs.get("registry:5000/mirror/alpine:3.20")
    assert.isDefined(pair)
    assert.deepStrictEqual(sample(pair.progress), { total: 180, done: 80, moved: 50 })
    moved.bytes = 40
    assert.deepStrictEqual(sample(pair.progress), { total: 180, done: 120, moved: 90 })
    // A blob that begins again may move more than it has.
    moved.bytes = 400
    assert.deepStrictEqual(sample(pair.progress), { total: 180, done: 180, moved: 150 })
  })

  const clearing: ReadonlyArray<readonly [string, SyncEvent]> = [
    ["its end", ended("alpine", "3.20")],
    ["the end of the run", jobEnded(0)],
    ["a new run", began]
  ]
  it.each(clearing)("works on a pair until %s", (_, event) => {
    assert.strictEqual(jobAfter(began, pairStarted).pairs.size, 1)
    assert.strictEqual(jobAfter(began, pairStarted, event).pairs.size, 0)
  })

  const readiness: ReadonlyArray<readonly [string, ReadonlyArray<SyncEvent>, boolean]> = [
    ["not at first", [], false],
    ["not while the first pass goes on", [began, jobEnded(0)], false],
    ["after the first pass", [SyncEvent.Ready({ time: 1 })], true],
    ["once something is scheduled", [SyncEvent.Scheduled({ job: "alpine", next: 5 })], true],
    ["still after a reload", [SyncEvent.Ready({ time: 1 }), configuredWith(jobOf("debian"))], true]
  ]
  it.each(readiness)("is ready %s", (_, events, expected) => {
    assert.strictEqual(after(...events).isReady, expected)
  })

  it("keeps the history of jobs that a new configuration keeps, and their next time open", () => {
    const model = after(
      began,
      ended("alpine", "1"),
      jobEnded(0),
      SyncEvent.Scheduled({ job: "alpine", next: 9000 }),
      configuredWith(jobOf("golang"), jobOf("alpine", "@daily"))
    )
    assert.deepStrictEqual([...model.jobs.keys()], ["golang", "alpine"])
    const job = model.jobs.get("alpine")
    assert.deepStrictEqual([job?.runs.length, job?.schedule, job?.next], [1, "@daily", undefined])
  })

  it("says why a new configuration is not in use until one is", () => {
    const refused = after(SyncEvent.ConfigRefused({ error: "line 3: no such key", time: 77 }))
    assert.deepStrictEqual(refused.refused, { error: "line 3: no such key", time: 77 })
    assert.strictEqual(refused.jobs.size, 2)
    assert.isUndefined(observe(refused, configuredWith(jobOf("alpine"))).refused)
  })
})

describe("the model of a daemon of scripts", () => {
  const configured = SyncEvent.Configured({ jobs: [scriptOf("clean-up")] })
  const begins = SyncEvent.JobStarted({ job: "clean-up", action: "run", time: 1000 })
  const ends = (failures: number, more: { readonly error?: string; readonly reason?: string } = {}) =>
    SyncEvent.JobEnded({ job: "clean-up", failures, elapsed: 2000, time: 3000, ...more })
  const scripts = (...events: ReadonlyArray<SyncEvent>): Model => [configured, ...events].reduce(observe, empty(500))

  it("counts a run whose script caught the failure of a copy as one that succeeded", () => {
    const model = scripts(
      begins,
      ended("clean-up", "1", { outcome: "failed", error: "no", reason: "NotFound" }),
      ends(0)
    )
    const job = model.jobs.get("clean-up")
    assert.deepStrictEqual(job?.totals.runs, [{ action: "run", outcome: "succeeded", count: 1 }])
    assert.deepStrictEqual(model.failures.map(({ error }) => error), ["no"])
  })

  it("keeps the lines of a script's error, and nothing in them that acts", () => {
    const error = "<string>:3: a\u001b[2Jb\nstack traceback:\n\t[C]: in function 'error'"
    const model = scripts(begins, ends(1, { error, reason: "ScriptError" }))
    assert.deepStrictEqual(model.failures, [{
      job: "clean-up",
      source: "",
      target: "",
      error: "<string>:3: a\\x1b[2Jb\nstack traceback:\n  [C]: in function 'error'",
      reason: "ScriptError",
      time: 3000
    }])
    assert.deepStrictEqual(model.jobs.get("clean-up")?.totals.runs, [{ action: "run", outcome: "failed", count: 1 }])
  })
})
