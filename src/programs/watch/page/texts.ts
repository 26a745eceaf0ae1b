/** First part of the status page's script: sizes, spans and times as people say them. Text for a browser. */
export const texts = String.raw`
const at = (id) => document.getElementById(id)
/** Text from outside goes into the page by this alone. */
const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text
}
const count = (number, one, many) => number + " " + (number === 1 ? one : many)

/** Keeps a number and its unit on one line. */
const gap = "\u00a0"
const bytes = (number) => {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"]
  let unit = 0
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000
    unit++
  }
  return (unit === 0 || number >= 99.5 ? Math.round(number) : number.toFixed(1)) + gap + units[unit]
}

/** Milliseconds in the two units that matter. */
const span = (milliseconds) => {
  if (milliseconds < 1000) return Math.max(0, Math.round(milliseconds)) + gap + "ms"
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 60) return seconds + gap + "s"
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return minutes + gap + "min" + (seconds % 60 === 0 ? "" : " " + seconds % 60 + gap + "s")
  if (minutes < 60) return minutes + gap + "min"
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return hours + gap + "h" + (minutes % 60 === 0 ? "" : " " + minutes % 60 + gap + "min")
  const days = Math.floor(hours / 24)
  return days + gap + "d" + (hours % 24 === 0 || days > 9 ? "" : " " + hours % 24 + gap + "h")
}

/** How much the server's clock is ahead of this machine's. */
let ahead = 0
const now = () => Date.now() + ahead

const ago = (time) => {
  const passed = now() - time
  return passed < 1500 ? "just now" : span(passed) + " ago"
}
const until = (time) => {
  const left = time - now()
  return left < 1500 ? "now" : "in " + span(left)
}
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const exact = (time) => clock.format(time)

/** Elements whose text is a time that goes by; the function gives it anew. */
const ticking = new Map()
const tick = (element, text, time) => {
  ticking.set(element, text)
  say(element, text())
  if (time !== undefined) element.title = exact(time)
  else element.removeAttribute("title")
}
const still = (element, text) => {
  ticking.delete(element)
  element.removeAttribute("title")
  say(element, text)
}

const outcome = (run) =>
  run.failures > 0 ? "bad" : run.stale > 0 ? "warn" : run.copied > 0 || run.action === "run" ? "good" : "same"

const summary = (run) => {
  const isScript = run.action === "run"
  const parts = isScript && run.pairs === 0 ? [] : [count(run.pairs, "image", "images")]
  if (run.copied > 0) parts.push(run.copied + " copied")
  if (run.stale > 0) parts.push(run.stale + " out of date")
  if (run.failures > 0) parts.push(isScript ? "failed" : run.failures + " failed")
  if (run.bytes > 0) parts.push(bytes(run.bytes) + " sent")
  return parts.join(", ")
}
`
