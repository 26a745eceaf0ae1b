/** Second part of the status page's script: one row each for entries, copies, failures and limits. Text for a browser. */
export const rows = String.raw`
const clone = (name) => at(name + "-template").content.firstElementChild.cloneNode(true)
const put = (element, name, text) => say(element.querySelector(name), text)

/** Makes a list show these items: elements that stay are kept, so that focus and open parts stay too. */
const keep = (list, known, items, key, make, fill) => {
  const seen = new Set()
  let place = list.firstElementChild
  for (const item of items) {
    const name = key(item)
    seen.add(name)
    let element = known.get(name)
    if (element === undefined) {
      element = make(item)
      known.set(name, element)
    }
    fill(element, item)
    if (element === place) place = place.nextElementSibling
    else list.insertBefore(element, place)
  }
  for (const [name, element] of known) {
    if (seen.has(name)) continue
    for (const part of [element, ...element.querySelectorAll("*")]) ticking.delete(part)
    element.remove()
    known.delete(name)
  }
}

const stateOf = (job) => {
  const last = job.runs[job.runs.length - 1]
  if (job.state === "waiting") return ["warn", "Waiting for pulls"]
  if (job.state === "running") return ["busy", "Running"]
  if (last === undefined) return ["", "No run yet"]
  if (last.failures > 0) return ["bad", "Failing"]
  if (isScript(job)) return ["good", "Succeeded"]
  return last.stale > 0 ? ["warn", "Out of date"] : ["good", "Up to date"]
}

/** It reads and writes where it likes: neither source nor target are known. */
const isScript = (job) => job.type === "script"

/** A name made of source and target says nothing that they do not say. */
const isOwnName = (job) => job.name !== job.source + " -> " + job.target
const titleOf = (job) => isOwnName(job) ? job.name : job.source

const makeJob = (job) => {
  const row = clone("job")
  const button = row.querySelector(".run")
  button.setAttribute("aria-label", "Run " + job.name + " now")
  button.addEventListener("click", () => askToRun(job.name, button))
  row.querySelector(".scroll").setAttribute("aria-label", "Runs of " + job.name)
  const chart = row.querySelector(".chart")
  chart.addEventListener("click", () => {
    const isOpen = chart.getAttribute("aria-expanded") !== "true"
    chart.setAttribute("aria-expanded", String(isOpen))
    row.querySelector(".scroll").hidden = !isOpen
    fillHistory(row, state.jobs.get(job.name))
  })
  return row
}

const fillJob = (row, job) => {
  const last = job.runs[job.runs.length - 1]
  const [kind, label] = stateOf(job)
  put(row, "h3", titleOf(job))
  put(row, ".from", isOwnName(job) ? job.source : "")
  put(row, ".to", job.target)
  row.querySelector(".route").hidden = isScript(job)
  row.querySelector(".plan").hidden = !isScript(job)
  put(row, ".plan", job.schedule === "" ? "no schedule" : job.schedule)
  row.querySelector(".state").className = "pill state " + kind
  put(row, ".state", label)
  fillTimes(row, job, last)
  const whole = row.querySelector(".whole")
  whole.hidden = job.current === undefined
  if (job.current !== undefined) {
    whole.setAttribute("aria-label", job.name + ": images done")
    if (job.listed === undefined) whole.removeAttribute("value")
    else {
      whole.max = Math.max(1, job.listed)
      whole.value = Math.min(job.current.pairs, job.listed)
    }
  }
  const button = row.querySelector(".run")
  button.hidden = !state.canRun
  // Given up only by one who has no focus to lose.
  const isBusy = job.state !== "idle"
  button.setAttribute("aria-disabled", String(isBusy))
  button.disabled = isBusy && document.activeElement !== button
  fillChart(row.querySelector(".chart"), job)
  fillHistory(row, job)
}

const fillTimes = (row, job, last) => {
  const lastText = row.querySelector(".last")
  const nextText = row.querySelector(".next")
  put(row, ".last-label", job.current === undefined ? "Last run" : "This run")
  if (job.current !== undefined) {
    const began = Date.parse(job.current.began)
    const part = job.listed === undefined ? summary(job.current) : job.current.pairs + " of " + count(job.listed, "image", "images")
    tick(lastText, () => "for " + span(now() - began) + (part === "" ? "" : ", " + part), began)
  } else if (last === undefined) still(lastText, "none yet")
  else {
    const ended = Date.parse(last.began) + last.elapsed
    tick(lastText, () => ago(ended) + ", took " + span(last.elapsed), ended)
  }
  if (job.next === undefined) still(nextText, job.schedule === "" ? "no schedule" : "not scheduled yet")
  else {
    const next = Date.parse(job.next)
    tick(nextText, () => until(next), next)
  }
}

/** A bar for each run: its height says how long it took beside the others, its colour how it ended. */
const fillChart = (chart, job) => {
  const shape = job.runs.map((run) => run.began + outcome(run)).join()
  if (chart.dataset.shape === shape) return
  chart.dataset.shape = shape
  chart.hidden = job.runs.length === 0
  const longest = Math.max(1, ...job.runs.map((run) => run.elapsed))
  chart.firstElementChild.replaceChildren(...job.runs.map((run) => {
    const bar = document.createElement("i")
    bar.className = outcome(run)
    bar.style.height = Math.max(12, Math.round(100 * Math.sqrt(run.elapsed / longest))) + "%"
    bar.title = exact(Date.parse(run.began)) + ", " + span(run.elapsed) + ": " + (summary(run) || "succeeded")
    return bar
  }))
  const failed = job.runs.filter((run) => run.failures > 0).length
  const label = count(job.runs.length, "run", "runs") + ", " + (failed === 0 ? "none failed" : failed + " failed")
  chart.setAttribute("aria-label", "History of " + job.name + ": " + label)
}

const fillHistory = (row, job) => {
  const table = row.querySelector(".scroll")
  if (job === undefined || table.hidden) return
  const newest = job.runs.length === 0 ? "" : job.runs[job.runs.length - 1].began
  if (table.dataset.newest === newest) return
  table.dataset.newest = newest
  row.querySelector("tbody").replaceChildren(...job.runs.slice(-10).reverse().map((run) => {
    const line = document.createElement("tr")
    const cells = [exact(Date.parse(run.began)), span(run.elapsed), run.pairs, run.copied, run.failures, bytes(run.bytes)]
    for (const [index, value] of cells.entries()) {
      const cell = document.createElement("td")
      cell.textContent = String(value)
      if (index === 4 && run.failures > 0) cell.className = "bad"
      line.append(cell)
    }
    return line
  }))
}

const fillPair = (row, pair) => {
  put(row, ".from", pair.source)
  put(row, ".to", pair.target)
  const bar = row.querySelector("progress")
  bar.setAttribute("aria-label", "Copy to " + pair.target)
  bar.hidden = pair.wait !== undefined
  if (pair.total === 0) bar.removeAttribute("value")
  else {
    bar.max = pair.total
    bar.value = pair.done
  }
  tick(row.querySelector(".numbers"), () => pairText(pair))
}

const pairText = (pair) => {
  if (pair.wait !== undefined) {
    return "Waits for pulls to come back: " + pair.wait.remaining + " of " + pair.wait.limit + " left, " +
      pair.wait.min + " wanted; looks every " + span(pair.wait.sleep)
  }
  if (pair.total === 0) return "Looking at it for " + span(now() - Date.parse(pair.began))
  const rate = state.rates.get(pairKey(pair))?.rate ?? 0
  const share = Math.floor(100 * pair.done / pair.total)
  const left = pair.total - pair.done
  return bytes(pair.done) + " of " + bytes(pair.total) + " · " + share + gap + "%" +
    (rate > 1000 ? " · " + bytes(rate) + "/s" + (left > 0 ? " · " + span(Math.max(1000, 1000 * left / rate)) + " left" : "") : "") +
    " · for " + span(now() - Date.parse(pair.began))
}

const fillFailure = (row, failure) => {
  put(row, ".reason", failure.reason || "Failed")
  put(row, ".to", failure.target || failure.job)
  put(row, ".error", failure.error)
  const isOwn = failure.job !== failure.source + " -> " + failure.target
  put(row, ".entry", failure.source === "" ? "" : "from " + failure.source + (isOwn ? ", entry " + failure.job : ""))
  const time = Date.parse(failure.time)
  tick(row.querySelector(".when"), () => ago(time), time)
}

const fillLimit = (row, quota) => {
  put(row, ".name", quota.registry)
  const meter = row.querySelector("meter")
  meter.setAttribute("aria-label", "Pulls left at " + quota.registry)
  meter.max = Math.max(1, quota.limit)
  meter.low = quota.limit / 4
  meter.optimum = quota.limit
  meter.value = quota.remaining
  put(row, ".left", quota.remaining + (quota.limit > 0 ? " of " + quota.limit : "") + " pulls left")
}
`
