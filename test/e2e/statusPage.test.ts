/** The status page as people meet it: in a browser, over the real server. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SyncEvent } from "../../src/schemas/Sync.ts"
import {
  blob,
  configuredWith,
  copying,
  ended,
  jobOf,
  pairOf,
  scriptOf,
  watching,
  type WatchingOptions
} from "../programs/watch/watching.ts"
import { type Browser, launchBrowser, type Page, type PageOptions, until } from "../support/browser.ts"

let browser: Browser | undefined
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser?.close())

const hour = 3_600_000
/** Some seconds more than a time that is shown, so that a slow machine shows the same. */
const past = hour + 20_000

/** A day in the life of some entries: one at work, one that waits, one that fails, one that never ran. */
const life = (now: number): ReadonlyArray<SyncEvent> => [
  configuredWith(...["alpine", "debian", "golang", "nginx", "node", "postgres", "redis"].map((it) => jobOf(it))),
  ...["alpine", "debian", "golang", "nginx", "node", "postgres"].flatMap((job) => [
    SyncEvent.JobStarted({ job, action: "copy" as const, time: now - past }),
    ended(
      job,
      "1",
      job === "golang"
        ? {
          outcome: "failed",
          error: "get https://ada:hidden@registry:5000/v2/: refused",
          reason: "ConnectFailed",
          began: now - past
        }
        : { began: now - past }
    ),
    SyncEvent.JobEnded({ job, failures: job === "golang" ? 1 : 0, elapsed: 12_000, time: now - past + 12_000 }),
    SyncEvent.Scheduled({ job, next: now + hour })
  ]),
  SyncEvent.JobStarted({ job: "node", action: "copy", time: now - 9000 }),
  SyncEvent.Listed({ job: "node", pairs: 12 }),
  SyncEvent.PairStarted({ ...pairOf("node", "22"), time: now - 8000 }),
  SyncEvent.JobStarted({ job: "postgres", action: "copy", time: now - 9000 }),
  SyncEvent.PairStarted({ ...pairOf("postgres", "17"), time: now - 8000 }),
  SyncEvent.Waiting({ ...pairOf("postgres", "17"), remaining: 3, limit: 100, min: 10, sleep: 900_000 })
]

interface Shown {
  readonly page: Page
  readonly tell: (...events: ReadonlyArray<SyncEvent>) => Promise<void>
}

/** Shows the page until it knows what was told; fails when the browser complained of anything but `complaints`. */
const showing = (
  { complaints = /^$/, events, page: options, script, server }: {
    readonly server?: WatchingOptions
    readonly events: ReadonlyArray<SyncEvent>
    readonly page?: PageOptions
    readonly script?: string
    readonly complaints?: RegExp
  },
  use: (shown: Shown) => Promise<void>
) =>
  Effect.gen(function*() {
    const { tell, url } = yield* watching(server)
    yield* tell(...events)
    yield* Effect.promise(async () => {
      const page = await browser?.newPage(options)
      assert.isDefined(page)
      const complained: Array<string> = []
      page.on("console", (it) => complained.push(it.text()))
      page.on("pageerror", (it) => complained.push(it.message))
      page.on("dialog", (it) => complained.push(`dialog: ${it.message()}`))
      if (script !== undefined) await page.addInitScript({ content: script })
      await page.goto(url)
      await until(page, "!document.querySelector('main').hasAttribute('aria-busy')")
      await use({ page, tell: (...more) => Effect.runPromise(tell(...more)) })
      await page.close()
      assert.deepStrictEqual(complained.filter((it) => !complaints.test(it)), [])
    })
  }).pipe(Effect.scoped)

/** Spaces of all kinds as one. */
const text = (page: Page, selector: string): Promise<string> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText.replace(/\\s+/g, " ").trim()`)

const texts = (page: Page, selector: string): Promise<ReadonlyArray<string>> =>
  page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((it) => it.innerText.replace(/\\s+/g, " ").trim())`
  )

/** Visible text whose contrast with what lies behind it is below AA (WCAG 2.2, 1.4.3), disabled controls aside. */
const lowContrasts = `(() => {
  const channels = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number)
    return [r, g, b, a]
  }
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((it) => {
      const part = it / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let it = element; it !== null; it = it.parentElement) {
      const color = channels(getComputedStyle(it).backgroundColor)
      if (color[3] === 1) return color
    }
    return [255, 255, 255, 1]
  }
  return [...document.querySelectorAll("body *")]
    .filter((it) => it.checkVisibility() && !it.matches(":disabled, script, style, template"))
    .filter((it) => [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
    .flatMap((it) => {
      const [high, low] = [luminance(channels(getComputedStyle(it).color)), luminance(behind(it))].sort((a, b) => b - a)
      const ratio = (high + 0.05) / (low + 0.05)
      return ratio < 4.5 ? [it.innerText + ": " + ratio.toFixed(2)] : []
    })
})()`

describe("the status page", () => {
  it.live("shows what every entry does", () =>
    showing({ events: life(Date.now()) }, async ({ page }) => {
      assert.deepStrictEqual(await texts(page, "#jobs h3"), [
        "alpine",
        "debian",
        "golang",
        "nginx",
        "node",
        "postgres",
        "redis"
      ])
      assert.deepStrictEqual(await texts(page, "#jobs .state"), [
        "Up to date",
        "Up to date",
        "Failing",
        "Up to date",
        "Running",
        "Waiting for pulls",
        "No run yet"
      ])
      assert.strictEqual(await text(page, "#jobs .last"), "1 h ago, took 12 s")
      assert.match(await text(page, "#jobs .next"), /^in (1 h|59 min)$/)
      assert.deepStrictEqual(await texts(page, ".tiles dt + dd"), ["7", "2", "1", await text(page, "#sum-next")])
      assert.strictEqual(
        await text(page, "#failures"),
        "ConnectFailed registry:5000/mirror/golang:1 1 h ago " +
          "get https://[censored]@registry:5000/v2/: refused from docker.io/library/golang:1, entry golang"
      )
      assert.strictEqual(await text(page, "#limits"), "docker.io 3 of 100 pulls left")
    }))

  it.live("follows a copy while it moves, and its end", () =>
    showing({ events: life(Date.now()) }, async ({ page, tell }) => {
      assert.strictEqual(await text(page, "#link"), "Live")
      const moved = { bytes: 0 }
      const layer = blob("1", 80_000_000)
      await tell(copying("node", "22", layer.planned), copying("node", "22", layer.started(moved)))
      await until(page, "document.querySelector('#copying progress').max === 80000000")
      moved.bytes = 20_000_000
      await until(page, "document.querySelector('#copying progress').value === 20000000")
      assert.match(await text(page, "#copying .numbers"), /^20\.0 MB of 80\.0 MB · 25 % · /)
      await tell(ended("node", "22"), SyncEvent.JobEnded({ job: "node", failures: 0, elapsed: 1, time: Date.now() }))
      await until(page, "document.querySelectorAll('#copying .pair').length === 1")
      assert.strictEqual((await texts(page, "#jobs .state"))[4], "Up to date")
    }))

  it.live("shows the last runs of an entry as bars, and as a table when asked by keyboard", () =>
    showing({ events: life(Date.now()) }, async ({ page }) => {
      const bars = "[...document.querySelectorAll('#jobs .chart')[2].querySelectorAll('i')].map((it) => it.className)"
      assert.deepStrictEqual(await page.evaluate(bars), ["bad"])
      const label = "document.querySelectorAll('#jobs .chart')[2].getAttribute('aria-label')"
      assert.strictEqual(await page.evaluate(label), "History of golang: 1 run, 1 failed")
      await page.evaluate("document.querySelectorAll('#jobs .chart')[2].focus()")
      await page.keyboard.press("Enter")
      assert.match((await texts(page, "#jobs .scroll:not([hidden]) tbody tr"))[0] ?? "", / 12 s 1 0 1 1.0 kB$/)
    }))

  it.live("finds entries by name and by state", () =>
    showing({ events: life(Date.now()) }, async ({ page }) => {
      await page.fill("#search", "fail")
      assert.deepStrictEqual(await texts(page, "#jobs h3"), ["golang"])
      assert.strictEqual(await text(page, "#found"), "1 of 7")
      await page.fill("#search", "nothing like it")
      assert.strictEqual(await text(page, "#jobs-none"), "No entry fits the search.")
      await page.fill("#search", "")
      assert.strictEqual((await texts(page, "#jobs h3")).length, 7)
    }))

  it.live("says so where there is nothing to show", () =>
    showing({ events: [] }, async ({ page }) => {
      assert.deepStrictEqual(await texts(page, ".empty"), [
        "Nothing is being copied right now.",
        "No entries are configured.",
        "No failure so far."
      ])
      assert.strictEqual(await page.evaluate("document.querySelector('#searching').checkVisibility()"), false)
    }))

  it.live("shows scripts by their names, schedules and errors", () => {
    const now = Date.now()
    const ran = (job: string, error?: string) => [
      SyncEvent.JobStarted({ job, action: "run", time: now - past }),
      SyncEvent.JobEnded({
        job,
        elapsed: 12_000,
        time: now - past + 12_000,
        ...(error === undefined ? { failures: 0 } : { failures: 1, error, reason: "ScriptError" })
      })
    ]
    return showing({
      events: [
        SyncEvent.Configured({
          jobs: [scriptOf("clean-up", "5 2 * * *"), scriptOf("promotion"), scriptOf("by hand", "")]
        }),
        ...ran("clean-up"),
        ...ran("promotion", "<string>:3: boom\nstack traceback:\n\t[C]: in function 'error'")
      ]
    }, async ({ page }) => {
      assert.deepStrictEqual(await texts(page, "#jobs .what"), [
        "clean-up 5 2 * * *",
        "promotion @every 1h",
        "by hand no schedule"
      ])
      assert.deepStrictEqual(await texts(page, "#jobs .state"), ["Succeeded", "Failing", "No run yet"])
      assert.deepStrictEqual(await texts(page, "#failures .failure"), [
        "ScriptError promotion 1 h ago <string>:3: boom stack traceback: [C]: in function 'error'"
      ])
      assert.strictEqual(await text(page, "#legend"), "Runs: succeeded failed")
      const bars = "[...document.querySelectorAll('#jobs .chart i')].map((it) => it.className)"
      assert.deepStrictEqual(await page.evaluate(bars), ["good", "bad"])
    })
  })

  it.live("shows text from outside as text", () => {
    const evil = "<img src=x onerror=alert(1)>"
    return showing({
      events: [
        configuredWith(jobOf(evil)),
        SyncEvent.JobEnded({ job: evil, failures: 1, elapsed: 1, time: 1, error: evil, reason: evil })
      ]
    }, async ({ page }) => {
      assert.deepStrictEqual(await texts(page, "#jobs h3"), [evil])
      assert.deepStrictEqual(await texts(page, "#failures .error"), [evil])
      assert.strictEqual(await page.evaluate("document.querySelectorAll('img').length"), 0)
    })
  })

  it.live("starts a run for who knows the token, which it keeps nowhere", () => {
    const asked: Array<string> = []
    const runNow = (job: string) => Effect.sync(() => (asked.push(job), "started" as const))
    const server = { token: "s3cret", runNow }
    const complaints = /status of 401/
    return showing({ events: life(Date.now()), server, complaints }, async ({ page }) => {
      const press = (job: string) => page.click(`[aria-label='Run ${job} now']`)
      await press("alpine")
      await page.fill("#token", "wrong")
      await page.keyboard.press("Enter")
      await until(page, "document.querySelector('#asking-wrong').textContent !== ''")
      assert.strictEqual(await text(page, "#asking-wrong"), "This token was not accepted.")
      await page.fill("#token", "s3cret")
      await page.keyboard.press("Enter")
      await until(page, "document.querySelector('#toast').textContent === 'Started: alpine'")
      await press("debian")
      await until(page, "document.querySelector('#toast').textContent === 'Started: debian'")
      assert.deepStrictEqual(asked, ["alpine", "debian"])
      const kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
      assert.notInclude(await page.evaluate(kept), "s3cret")
      assert.strictEqual(await page.evaluate("document.querySelector('#token').value"), "")
      assert.strictEqual(await page.evaluate("document.querySelector('[aria-label=\"Run node now\"]').disabled"), true)
    })
  })

  it.live("has no button for runs that nobody may start", () =>
    showing({ events: life(Date.now()) }, async ({ page }) => {
      assert.deepStrictEqual(await page.evaluate("document.querySelectorAll('.run:not([hidden])').length"), 0)
    }))

  it.live("asks by and by where there are no events", () =>
    showing({ events: life(Date.now()), script: "delete window.EventSource" }, async ({ page, tell }) => {
      await until(page, "document.querySelector('#link').textContent === 'Polling'")
      await tell(SyncEvent.ConfigRefused({ error: "line 3: no such key", time: Date.now() }))
      await until(page, "document.querySelector('#refused').checkVisibility()")
      assert.match(await text(page, "#refused"), /^The configuration of .* is not in use: line 3: no such key$/)
    }))

  const looks: ReadonlyArray<readonly ["light" | "dark", number]> = [["light", 1280], ["dark", 1280], ["light", 390], [
    "dark",
    390
  ]]
  it.live.each(looks)("can be read in %s at %i pixels", ([colorScheme, width]) =>
    showing({
      events: life(Date.now()),
      page: { colorScheme, viewport: { width, height: 844 } },
      server: { token: "s3cret" }
    }, async ({ page }) => {
      assert.deepStrictEqual(await page.evaluate(lowContrasts), [])
      assert.strictEqual(await page.evaluate("document.documentElement.scrollWidth"), width)
      const dark = await page.evaluate("getComputedStyle(document.body).backgroundColor === 'rgb(14, 17, 22)'")
      assert.strictEqual(dark, colorScheme === "dark")
    }))

  it.live("has landmarks and names for who cannot see it", () =>
    showing({ events: life(Date.now()), server: { token: "s3cret" } }, async ({ page }) => {
      const counts = "['header', 'main', 'footer', 'search', 'nav[aria-label]', 'h1'].map((it) => " +
        "document.querySelectorAll(it).length)"
      assert.deepStrictEqual(await page.evaluate(counts), [1, 1, 1, 1, 1, 1])
      const unnamed = "[...document.querySelectorAll('button, input, progress, meter, section, a')]" +
        ".filter((it) => it.checkVisibility()).filter((it) => !(it.getAttribute('aria-label') || " +
        "it.getAttribute('aria-labelledby') || it.textContent.trim() || it.labels?.length)).map((it) => it.outerHTML)"
      assert.deepStrictEqual(await page.evaluate(unnamed), [])
      await page.keyboard.press("Tab")
      assert.strictEqual(await page.evaluate("document.activeElement.textContent"), "Skip to the entries")
      await page.keyboard.press("Enter")
      assert.strictEqual(await page.evaluate("document.activeElement.id"), "entries")
    }))
})
