import { assert, describe, it } from "@effect/vitest"
import { metrics } from "../../../src/programs/watch/metrics.ts"
import { empty, observe } from "../../../src/programs/watch/model.ts"
import { exposition } from "../../../src/programs/watch/prometheus.ts"
import { SyncEvent } from "../../../src/schemas/Sync.ts"
import { readExposition } from "./strictPrometheus.ts"
import { configuredWith, ended, jobOf } from "./watching.ts"

const build = {
  tag: "v1.2.3",
  ref: "abc",
  commit: "abc",
  state: "clean",
  date: "2026-01-02T03:04:05Z",
  platform: "linux/amd64",
  runtime: "node v26.10.0"
}

const odd = "a\"b\\c\nd"

const read = (...events: ReadonlyArray<SyncEvent>) =>
  readExposition(metrics("regsync", build, events.reduce(observe, empty(1500))))

const valuesOf = (families: ReturnType<typeof read>, name: string) =>
  families.get(name)?.samples.map(({ labels, value }) => [labels, value])

const life = [
  configuredWith(jobOf("alpine"), jobOf(odd)),
  SyncEvent.JobStarted({ job: "alpine", action: "missing", time: 2000 }),
  ended("alpine", "1", { bytes: 700, saved: 30, elapsed: 400 }),
  ended("alpine", "2", { bytes: 5, saved: 0, elapsed: 70_000 }),
  ended("alpine", "3", { outcome: "failed", decision: "copy", reason: "NotFound", bytes: 0, saved: 0, elapsed: 50 }),
  ended("alpine", "4", {
    outcome: "failed",
    decision: "copy",
    reason: "odd \"reason",
    bytes: 0,
    saved: 0,
    elapsed: 50
  }),
  ended("alpine", "5", { outcome: "current", decision: "current", bytes: 0, saved: 0, elapsed: 50 }),
  SyncEvent.JobEnded({ job: "alpine", failures: 2, elapsed: 80_000, time: 82_000 }),
  SyncEvent.JobStarted({ job: "alpine", action: "copy", time: 90_000 }),
  SyncEvent.JobEnded({ job: "alpine", failures: 0, elapsed: 500, time: 90_500 }),
  SyncEvent.JobStarted({ job: odd, action: "copy", time: 90_000 }),
  SyncEvent.Scheduled({ job: "alpine", next: 120_500 }),
  SyncEvent.Limited({ registry: "docker.io", remaining: 73, limit: 100 })
]

describe("metrics", () => {
  it("say what runs and since when, before anything is known", () => {
    const families = read()
    assert.deepStrictEqual([...families.keys()], [
      "regsync_build_info",
      "regsync_start_time_seconds",
      "regsync_ready",
      "regsync_config_valid"
    ])
    assert.deepStrictEqual(valuesOf(families, "regsync_build_info"), [
      [{ version: "v1.2.3", commit: "abc", platform: "linux/amd64", runtime: "node v26.10.0" }, 1]
    ])
    assert.deepStrictEqual(valuesOf(families, "regsync_start_time_seconds"), [[{}, 1.5]])
    assert.deepStrictEqual(valuesOf(families, "regsync_ready"), [[{}, 0]])
  })

  const table: ReadonlyArray<readonly [string, string, ReadonlyArray<readonly [object, number]>]> = [
    ["regsync_ready", "gauge", [[{}, 1]]],
    ["regsync_config_valid", "gauge", [[{}, 1]]],
    ["regsync_job_running", "gauge", [[{ job: "alpine" }, 0], [{ job: odd }, 1]]],
    ["regsync_next_run_timestamp_seconds", "gauge", [[{ job: "alpine" }, 120.5]]],
    ["regsync_last_run_timestamp_seconds", "gauge", [[{ job: "alpine" }, 90.5]]],
    ["regsync_last_success_timestamp_seconds", "gauge", [[{ job: "alpine" }, 90.5]]],
    ["regsync_ratelimit_remaining", "gauge", [[{ registry: "docker.io" }, 73]]],
    ["regsync_ratelimit_limit", "gauge", [[{ registry: "docker.io" }, 100]]],
    ["regsync_runs_total", "counter", [
      [{ job: "alpine", action: "missing", outcome: "failed" }, 1],
      [{ job: "alpine", action: "copy", outcome: "succeeded" }, 1]
    ]],
    ["regsync_decisions_total", "counter", [
      [{ job: "alpine", decision: "copy" }, 4],
      [{ job: "alpine", decision: "current" }, 1]
    ]],
    ["regsync_images_total", "counter", [
      [{ job: "alpine", outcome: "copied" }, 2],
      [{ job: "alpine", outcome: "failed" }, 2],
      [{ job: "alpine", outcome: "current" }, 1]
    ]],
    ["regsync_failures_total", "counter", [
      [{ job: "alpine", reason: "NotFound" }, 1],
      [{ job: "alpine", reason: "Other" }, 1]
    ]],
    ["regsync_sent_bytes_total", "counter", [[{ job: "alpine" }, 705], [{ job: odd }, 0]]],
    ["regsync_saved_bytes_total", "counter", [[{ job: "alpine" }, 30], [{ job: odd }, 0]]]
  ]
  it.each(table)("give %s", (name, type, expected) => {
    const families = read(...life)
    assert.strictEqual(families.get(name)?.type, type)
    assert.deepStrictEqual(valuesOf(families, name), expected.map((it) => [...it]))
  })

  it("count how long things took in buckets", () => {
    const samples = read(...life).get("regsync_image_duration_seconds")?.samples
      .filter(({ labels }) => labels["job"] === "alpine")
      .map(({ labels, name, value }) =>
        `${name.slice("regsync_image_duration_seconds".length)} ${labels["le"]} ${value}`
      )
    assert.deepStrictEqual(samples, [
      "_bucket 0.1 3",
      "_bucket 0.5 4",
      "_bucket 1 4",
      "_bucket 5 4",
      "_bucket 15 4",
      "_bucket 60 4",
      "_bucket 300 5",
      "_bucket 900 5",
      "_bucket 3600 5",
      "_bucket +Inf 5",
      "_sum undefined 70.55",
      "_count undefined 5"
    ])
  })

  it("tell of a configuration that is not in use", () => {
    const families = read(...life, SyncEvent.ConfigRefused({ error: "no", time: 1 }))
    assert.deepStrictEqual(valuesOf(families, "regsync_config_valid"), [[{}, 0]])
  })

  it("name no more than 100 reasons", () => {
    const failures = Array.from(
      { length: 300 },
      (_, at) => ended("alpine", "1", { outcome: "failed", reason: `Reason${at}` })
    )
    const samples = read(configuredWith(jobOf("alpine")), ...failures).get("regsync_failures_total")?.samples
    assert.strictEqual(samples?.length, 101)
    assert.deepStrictEqual(samples?.at(-1), {
      name: "regsync_failures_total",
      labels: { job: "alpine", reason: "Other" },
      value: 200
    })
  })

  it("escape help and labels as the format wants", () => {
    const family = {
      name: "a",
      help: "one\\two\nthree",
      type: "gauge" as const,
      samples: [{ labels: { l: odd }, value: 1.5 }]
    }
    assert.strictEqual(
      exposition([family]),
      "# HELP a one\\\\two\\nthree\n# TYPE a gauge\na{l=\"a\\\"b\\\\c\\nd\"} 1.5\n"
    )
  })
})
