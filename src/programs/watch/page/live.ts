/** Last part of the status page's script: what is known, how it is kept fresh, and the start of runs. Text for a browser. */
export const live = String.raw`
const state = { jobs: new Map(), failures: [], quotas: [], rates: new Map(), canRun: false, ready: false, began: 0 }
const shown = { jobs: new Map(), pairs: new Map(), failures: new Map(), limits: new Map() }

const pairKey = (pair) => pair.source + "\n" + pair.target + "\n" + pair.began

const news = (data) => {
  ahead = Date.parse(data.time) - Date.now()
  state.ready = data.ready
  state.failures = data.failures
  state.quotas = data.quotas
  state.refused = data.refused
  for (const job of data.jobs) state.jobs.set(job.name, job)
  draw()
}

const everything = (data) => {
  state.jobs.clear()
  state.canRun = data.canRun
  state.began = Date.parse(data.began)
  say(at("tool"), data.tool)
  say(at("version"), data.version)
  document.title = data.tool + " status"
  news(data)
  at("main").removeAttribute("aria-busy")
}

const draw = () => {
  const jobs = [...state.jobs.values()]
  drawSummary(jobs)
  const isSearchable = jobs.length > 6
  at("searching").hidden = !isSearchable
  const words = isSearchable ? at("search").value.toLowerCase().split(/\s+/).filter((word) => word !== "") : []
  const found = jobs.filter((job) => {
    const text = [job.name, job.source, job.target, job.state, stateOf(job)[1]].join(" ").toLowerCase()
    return words.every((word) => text.includes(word))
  })
  say(at("found"), words.length === 0 ? "" : found.length + " of " + jobs.length)
  keep(at("jobs"), shown.jobs, found, (job) => job.name, makeJob, fillJob)
  at("jobs-none").hidden = found.length > 0
  say(at("jobs-none"), jobs.length === 0 ? "No entries are configured." : "No entry fits the search.")
  drawPairs(jobs)
  at("legend").hidden = !jobs.some((job) => job.runs.length > 0)
  say(at("legend-good"), jobs.some(isScript) ? "succeeded" : "copied")
  at("legend-same").hidden = jobs.some(isScript)
  const few = 5
  const more = at("failures-more")
  more.hidden = state.failures.length <= few
  const isWhole = more.getAttribute("aria-expanded") === "true"
  say(more, isWhole ? "Show fewer" : "Show all " + state.failures.length)
  keep(at("failures"), shown.failures, isWhole ? state.failures : state.failures.slice(0, few), (it) => [it.time, it.job, it.target, it.error].join("\n"), () => clone("failure"), fillFailure)
  at("failures-none").hidden = state.failures.length > 0
  keep(at("limits"), shown.limits, state.quotas, (it) => it.registry, () => clone("limit"), fillLimit)
  at("limits-section").hidden = state.quotas.length === 0
  at("refused").hidden = state.refused === undefined
  if (state.refused !== undefined) {
    const { error, time } = state.refused
    tick(at("refused"), () => "The configuration of " + ago(Date.parse(time)) + " is not in use: " + error)
  }
  tick(at("began"), () => "Running for " + span(now() - state.began), state.began)
}

const drawSummary = (jobs) => {
  const running = jobs.filter((job) => job.state === "running").length
  const waiting = jobs.filter((job) => job.state === "waiting").length
  const failing = jobs.filter((job) => (job.runs[job.runs.length - 1] || {}).failures > 0).length
  say(at("sum-jobs"), String(jobs.length))
  say(at("sum-ready"), state.ready ? "ready" : "first pass not ended")
  say(at("sum-running"), String(running + waiting))
  say(at("sum-waiting"), waiting === 0 ? running === 0 ? "idle" : "" : waiting + " waiting for pulls")
  say(at("sum-failing"), String(failing))
  const last = state.failures[0]
  if (last === undefined) still(at("sum-failures"), "no failure so far")
  else tick(at("sum-failures"), () => "last failure " + ago(Date.parse(last.time)), Date.parse(last.time))
  at("tile-failing").className = failing > 0 ? "bad" : ""
  const next = jobs.filter((job) => job.next !== undefined).sort((a, b) => Date.parse(a.next) - Date.parse(b.next))[0]
  if (next === undefined) still(at("sum-next"), "–")
  else tick(at("sum-next"), () => until(Date.parse(next.next)), Date.parse(next.next))
  say(at("sum-next-name"), next === undefined ? "" : titleOf(next))
}

/** A look at a tag is too short to be shown; what takes a second is not. */
const drawPairs = (jobs = [...state.jobs.values()]) => {
  const pairs = jobs.flatMap((job) => job.copying)
    .filter((pair) => pair.total > 0 || pair.wait !== undefined || now() - Date.parse(pair.began) > 1000)
  keep(at("copying"), shown.pairs, pairs, pairKey, () => clone("pair"), fillPair)
  at("copying-none").hidden = pairs.length > 0
}

/** Bytes a second of each copy, smoothed over the last few seconds. */
const measure = () => {
  const known = state.rates
  state.rates = new Map()
  for (const pair of [...state.jobs.values()].flatMap((job) => job.copying)) {
    const before = known.get(pairKey(pair))
    const speed = before === undefined ? 0 : Math.max(0, pair.moved - before.moved)
    const rate = before === undefined ? 0 : before.rate === 0 ? speed : before.rate * 0.7 + speed * 0.3
    state.rates.set(pairKey(pair), { moved: pair.moved, rate })
  }
}

const link = (kind, text) => {
  at("link").className = "pill " + kind
  say(at("link"), text)
}

/** Asked for by and by while there are no events. */
let polling
const poll = async () => {
  try {
    const answer = await fetch("api/v1/jobs", { cache: "no-store" })
    if (!answer.ok) throw new Error(String(answer.status))
    everything(await answer.json())
    if (polling !== undefined) link("warn", "Polling")
  } catch {
    link("bad", "Not reachable")
  }
}
const startPolling = () => {
  if (polling !== undefined) return
  poll()
  polling = setInterval(poll, 5000)
}
const stopPolling = () => {
  clearInterval(polling)
  polling = undefined
  link("good", "Live")
}

const listen = () => {
  if (typeof EventSource !== "function") return startPolling()
  const events = new EventSource("api/v1/events")
  events.addEventListener("state", (event) => {
    stopPolling()
    everything(JSON.parse(event.data))
  })
  events.addEventListener("change", (event) => news(JSON.parse(event.data)))
  events.addEventListener("error", () => {
    startPolling()
    // Refused, not broken: the browser does not try again by itself.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 15000)
  })
}

/** In memory only: it goes with the page. */
let token
let wanted
const askToRun = (name, button) => {
  if (button.getAttribute("aria-disabled") === "true") return
  wanted = name
  if (token === undefined) askToken("")
  else run(name)
}
const askToken = (wrong) => {
  say(at("asking-what"), wanted)
  say(at("asking-wrong"), wrong)
  at("token").value = ""
  if (!at("asking").open) at("asking").showModal()
  at("token").focus()
}
const run = async (name) => {
  try {
    const answer = await fetch("api/v1/jobs/" + encodeURIComponent(name) + "/run", {
      method: "POST",
      headers: { authorization: "Bearer " + token }
    })
    if (answer.status === 401) {
      token = undefined
      return askToken("This token was not accepted.")
    }
    const { error } = await answer.json()
    toast(answer.ok ? "Started: " + name : error)
    if (polling !== undefined) poll()
  } catch {
    toast("The server did not answer.")
  }
}
let fading
const toast = (text) => {
  clearTimeout(fading)
  say(at("toast"), text)
  fading = setTimeout(() => say(at("toast"), ""), 5000)
}

at("asking-form").addEventListener("submit", (event) => {
  event.preventDefault()
  // A header holds no more than these characters.
  const given = at("token").value.trim()
  if (!/^[\x21-\x7e]+$/.test(given)) return askToken("This is no token.")
  token = given
  at("token").value = ""
  at("asking").close()
  run(wanted)
})
at("asking-no").addEventListener("click", () => at("asking").close())
at("failures-more").addEventListener("click", ({ currentTarget }) => {
  currentTarget.setAttribute("aria-expanded", String(currentTarget.getAttribute("aria-expanded") !== "true"))
  draw()
})
at("search").addEventListener("input", draw)
setInterval(() => {
  measure()
  drawPairs()
  for (const [element, text] of ticking) say(element, text())
}, 1000)
listen()
`
