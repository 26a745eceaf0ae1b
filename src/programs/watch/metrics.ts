/** What a monitoring system reads of a daemon. Names begin with the tool's. */
import type { BuildInformation } from "../../services/BuildInfo.ts"
import type { JobState, Model } from "./model.ts"
import { exposition, type Family, type Sample, type Series } from "./prometheus.ts"
import { bounds, type Histogram } from "./totals.ts"

/** Text for `/metrics`; times in seconds, sizes in bytes. */
export const metrics = (tool: string, build: BuildInformation, model: Model): string =>
  exposition(
    [...daemonFamilies(build, model), ...runFamilies(model), ...pairFamilies(model)]
      .map((family) => ({ ...family, name: `${tool}_${family.name}` }))
  )

const daemonFamilies = (build: BuildInformation, model: Model): ReadonlyArray<Family> => {
  const { commit, platform, runtime, tag } = build
  const quotas = (value: (quota: { readonly remaining: number; readonly limit: number }) => number) =>
    [...model.quotas].map(([registry, quota]) => ({ labels: { registry }, value: value(quota) }))
  return [
    gauge("build_info", "Which build this is; always 1.", [
      { labels: { version: tag, commit, platform, runtime }, value: 1 }
    ]),
    gauge("start_time_seconds", "When the daemon started, in seconds since 1970.", [{ value: model.began / 1000 }]),
    gauge("ready", "Whether the first pass over all entries has ended.", [{ value: Number(model.isReady) }]),
    gauge("config_valid", "Whether the newest configuration is the one in use.", [
      { value: Number(model.refused === undefined) }
    ]),
    gauge("ratelimit_remaining", "Pulls a registry said to be left.", quotas(({ remaining }) => remaining)),
    gauge("ratelimit_limit", "Pulls a registry said to allow.", quotas(({ limit }) => limit))
  ]
}

const runFamilies = (model: Model): ReadonlyArray<Family> => [
  gauge("job_running", "Whether an entry is being worked on.", each(model, (job) => Number(job.current !== undefined))),
  gauge(
    "next_run_timestamp_seconds",
    "When an entry is due, in seconds since 1970.",
    each(model, ({ next }) => next === undefined ? undefined : next / 1000)
  ),
  gauge(
    "last_run_timestamp_seconds",
    "When the last run of an entry ended, in seconds since 1970.",
    each(model, ({ runs }) => {
      const last = runs.at(-1)
      return last === undefined ? undefined : (last.began + last.elapsed) / 1000
    })
  ),
  gauge(
    "last_success_timestamp_seconds",
    "When the last run of an entry without a failure ended, in seconds since 1970.",
    each(model, ({ totals: { lastSuccess } }) => lastSuccess === undefined ? undefined : lastSuccess / 1000)
  ),
  counter(
    "runs_total",
    "Runs of an entry that ended.",
    counts(
      model,
      ({ totals }) => totals.runs.map(({ action, count, outcome }) => ({ labels: { action, outcome }, value: count }))
    )
  ),
  histogram("run_duration_seconds", "How long runs of an entry took.", model, ({ totals }) => totals.runTimes)
]

const pairFamilies = (model: Model): ReadonlyArray<Family> => [
  counter(
    "decisions_total",
    "What was decided of images.",
    counts(model, ({ totals }) => labelled("decision", totals.decisions))
  ),
  counter(
    "images_total",
    "How the work on images ended.",
    counts(model, ({ totals }) => labelled("outcome", totals.outcomes))
  ),
  counter(
    "failures_total",
    "Failures by reason.",
    counts(model, ({ totals }) => labelled("reason", totals.failures))
  ),
  counter("sent_bytes_total", "Bytes of content sent to targets.", each(model, ({ totals }) => totals.bytes)),
  counter(
    "saved_bytes_total",
    "Bytes of content that need not be sent: the target had or mounted them.",
    each(model, ({ totals }) => totals.saved)
  ),
  histogram("image_duration_seconds", "How long the work on an image took.", model, ({ totals }) => totals.pairTimes)
]

const gauge = (name: string, help: string, samples: ReadonlyArray<Sample>): Family => ({
  name,
  help,
  type: "gauge",
  samples
})

const counter = (name: string, help: string, samples: ReadonlyArray<Sample>): Family => ({
  name,
  help,
  type: "counter",
  samples
})

const histogram = (name: string, help: string, model: Model, of: (job: JobState) => Histogram): Family => ({
  name,
  help,
  type: "histogram",
  bounds,
  series: [...model.jobs.values()].map((job): Series => ({ labels: { job: job.name }, ...of(job) }))
})

/** One sample for each job that has a value. */
const each = (model: Model, of: (job: JobState) => number | undefined): ReadonlyArray<Sample> =>
  [...model.jobs.values()].flatMap((job) => {
    const value = of(job)
    return value === undefined ? [] : [{ labels: { job: job.name }, value }]
  })

const counts = (
  model: Model,
  of: (job: JobState) => ReadonlyArray<Required<Sample>>
): ReadonlyArray<Sample> =>
  [...model.jobs.values()].flatMap((job) =>
    of(job).map(({ labels, value }) => ({ labels: { job: job.name, ...labels }, value }))
  )

const labelled = (label: string, counts: ReadonlyMap<string, number>): ReadonlyArray<Required<Sample>> =>
  [...counts].map(([text, value]) => ({ labels: { [label]: text }, value }))
