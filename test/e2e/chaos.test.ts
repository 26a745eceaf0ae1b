/** Hundreds of copies over a network that breaks at random: each success is whole, each failure leaves the tag as it was. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { seed } from "../support/copies.ts"
import { regctlHere } from "../support/inProcess.ts"
import {
  type Answer,
  digestOf,
  lacking,
  problem,
  type Quirk,
  quirky,
  type Reply,
  type Started
} from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"

/** Which copies meet which faults; set `CHAOS_SEED` for others. */
const chance = Number(process.env["CHAOS_SEED"] ?? 20_260_101)
const copies = Number(process.env["CHAOS_COPIES"] ?? 300)

const dir = temporary("chaos")
let source: Started
let target: Started

const random = (start: number) => {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The faults of each copy, by the name of its repository. */
const draws = new Map<string, { readonly next: () => number; readonly odds: number }>()
const drawOf = (path: string) => draws.get(/^\/v2\/(r\d+)\//.exec(path)?.[1] ?? "")

const faults: ReadonlyArray<(next: () => number, proper: () => Answer) => Reply> = [
  () => "drop",
  (_, proper) => (proper(), "drop"),
  (next, proper) => ({ ...proper(), delay: Math.round(next() * 15) }),
  (next, proper) => cut(next, proper(), "reset"),
  (next, proper) => cut(next, proper(), "end"),
  (_, proper) => changed(proper()),
  (_, proper) => shortened(proper()),
  () => ({ status: 500, body: "<html>oops</html>" }),
  () => ({ status: 502 }),
  () => problem(503, "UNAVAILABLE", { "retry-after": "1" }),
  () => problem(429, "TOOMANYREQUESTS", { "retry-after": "2" }),
  () => problem(429, "TOOMANYREQUESTS"),
  (_, proper) => ({ ...proper(), headers: { ...proper().headers, "content-encoding": "gzip" } }),
  () => ({ status: 200, raw: "HTTP/1.1 abc\r\n\r\n" }),
  (next) => next() < 0.2 ? { status: 401, headers: { "www-authenticate": "Basic realm=\"r\"" } } : undefined,
  (next) => next() < 0.1 ? problem(403, "DENIED") : undefined,
  (next) => next() < 0.2 ? problem(404, "BLOB_UPLOAD_UNKNOWN") : undefined,
  (next) => next() < 0.05 ? "silence" : undefined
]

const cut = (next: () => number, answer: Answer, how: "reset" | "end"): Answer => {
  const size = Buffer.from(answer.body ?? "").length
  return size === 0 ? answer : { ...answer, cut: { after: Math.floor(next() * size), how } }
}
const changed = (answer: Answer): Answer => {
  const body = Buffer.from(answer.body ?? "")
  body[body.length >> 1] = 255 - (body[body.length >> 1] ?? 0)
  return { ...answer, body }
}
const shortened = (answer: Answer): Answer => {
  const body = Buffer.from(answer.body ?? "").subarray(0, -1)
  return { ...answer, headers: { ...answer.headers, "content-length": String(body.length) }, body }
}

const broken: Quirk = (asked, proper) => {
  const draw = drawOf(asked.url.pathname)
  if (draw === undefined || draw.next() >= draw.odds) return undefined
  // What a registry did, it did once, however often a fault looks at its answer.
  let answer: Answer | undefined
  const once = () => answer ??= proper()
  return faults[Math.floor(draw.next() * faults.length)]?.(draw.next, once) ?? once()
}

const cutBody = (method: string, path: string) => {
  const draw = drawOf(path)
  return method !== "PUT" || draw === undefined || draw.next() >= draw.odds / 4
    ? undefined
    : Math.floor(draw.next() * 1_200_000)
}

beforeAll(async () => {
  ;[source, target] = await Promise.all([quirky(), quirky()])
  source.quirk = broken
  target.quirk = broken
  target.cutBody = cutBody
  const write = (name: string, timeouts: Readonly<Record<string, string>>) => {
    const entry = { tls: "disabled", user: "ada", pass: "secret", timeouts }
    const hosts = { [source.host]: entry, [target.host]: { ...entry, blobMax: 1_200_000, blobChunk: 300_000 } }
    writeFileSync(join(dir.path, name), JSON.stringify({ hosts }), { mode: 0o600 })
  }
  write("config.json", { headers: "300ms", commit: "300ms", stall: "300ms" })
  // Without faults nothing is silent, and a busy machine may be slow.
  write("calm.json", {})
})
afterAll(async () => {
  await Promise.all([source, target].map((it) => it.stop()))
  dir.remove()
})

const regctl = (config: string, ...args: ReadonlyArray<string>) =>
  regctlHere(args, { config: join(dir.path, config), times: 200 })

const copyOne = async (run: number): Promise<boolean> => {
  const name = `r${run}`
  const next = random(chance * 1_000 + run)
  const [from, to] = [source.repository(name), target.repository(name)]
  // One in three goes in chunks, one in a stream, one from memory; one in two replaces an older image.
  const { index } = seed(from, "v1", run, [1_250_000, 1_100_000, 90_001][run % 3])
  const old = run % 2 === 0 ? seed(to, "v1", run + 100_000, 2_000).index : undefined
  const copy = (config: string) =>
    regctl(config, "image", "copy", `${source.host}/${name}:v1`, `${target.host}/${name}:v1`)
  draws.set(name, { next, odds: [0.03, 0.08, 0.2, 0.5][run % 4] ?? 0 })
  const { code, err } = await copy("config.json")
  draws.delete(name)
  const story = `copy ${run} of seed ${chance}: ${err}`
  const whole = (digest: string) => {
    assert.deepStrictEqual(lacking(to, digest), [], story)
    for (const [digest, content] of to.blobs) assert.strictEqual(digestOf(content), digest, story)
    for (const [digest, { bytes }] of to.manifests) assert.strictEqual(digestOf(bytes), digest, story)
  }
  const tag = to.tags.get("v1")
  if (code === 0) assert.strictEqual(tag, index, story)
  else assert.include([old, index], tag, story)
  if (tag !== undefined) whole(tag)
  assert.notMatch(err, /internal error|\n {4}at |secret/, story)
  if (code !== 0) {
    const again = await copy("calm.json")
    assert.strictEqual(again.code, 0, `${story}\n${again.err}`)
    assert.strictEqual(to.tags.get("v1"), index)
    whole(index)
  }
  source.repositories.delete(name)
  target.repositories.delete(name)
  source.forget()
  target.forget()
  return code === 0
}

describe("a copy over a network that breaks at random", () => {
  it(`is whole or leaves the tag as it was (${copies} copies, seed ${chance})`, async () => {
    let started = 0
    let done = 0
    const worker = async () => {
      while (started < copies) if (await copyOne(started++)) done++
    }
    await Promise.all([worker(), worker(), worker(), worker()])
    assert.deepStrictEqual(target.incomplete, [])
    // Both ends were met.
    assert.isAbove(done, copies / 4)
    assert.isBelow(done, copies)
  }, 300_000)
})
