/**
 * Answers of servers changed at random, through both transports: they read the same, or differ for a reason that is
 * written down here; and what follows on the connection is never taken for the answer to the next request.
 */
import { Effect, Exit, ManagedRuntime } from "effect"
import type { Socket } from "node:net"
import { StoreError } from "../../src/schemas/StoreError.ts"
import type { Transport } from "../../src/services/Transport.ts"
import {
  get,
  rawServer,
  type Running,
  send,
  type Speaker,
  speakers,
  text,
  transport
} from "../services/transport/servers.ts"
import type { Campaign, Random } from "./campaign.ts"
import { anyText } from "./mutations/bytes.ts"

const within = (milliseconds: number) => ({
  connect: 5000,
  headers: milliseconds,
  commit: milliseconds,
  stall: milliseconds
})

const headers = [
  "Content-Type: application/vnd.oci.image.manifest.v1+json",
  "Docker-Content-Digest: sha256:0123456789abcdef",
  "Connection: keep-alive",
  "Connection: close",
  "Keep-Alive: timeout=5",
  "Date: Mon, 23 Nov 2026 10:00:00 GMT",
  "X-A:   blanks around   ",
  "X-Empty:",
  "Warning: 299 - \"one\"",
  "Warning: 299 - \"two\"",
  "WWW-Authenticate: Bearer realm=\"https://a/b\",service=\"c\"",
  "Link: </v2/_catalog?n=1>; rel=\"next\""
]

const body = "some content of a blob that is long enough to be cut somewhere"

const chunked = (random: Random): string => {
  let [rest, out] = [body, ""]
  while (rest !== "") {
    const size = 1 + random.below(20)
    const part = rest.slice(0, size)
    rest = rest.slice(size)
    out += `${part.length.toString(16)}${random.chance(0.1) ? ";ext=\"a\"" : ""}\r\n${part}\r\n`
  }
  return `${out}0\r\n${random.chance(0.2) ? "X-Trailer: a\r\n" : ""}\r\n`
}

/** Lines that two readers may read differently. */
const smuggled = [
  "Content-Length: 5",
  "Content-Length: 62",
  "Content-Length: 5, 5",
  "Content-Length: +62",
  "Content-Length: 0x3e",
  "Content-Length : 62",
  "Content-Length:\t62",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: \u000bchunked",
  "Transfer-Encoding: x\r\n chunked",
  " folded",
  "X: a\rb",
  "X: a\nY: b",
  "X Y: z",
  ": empty",
  "Upgrade: h2c",
  "Connection: upgrade",
  "Proxy-Connection: close"
]

/** An answer that is right. */
const sound = (random: Random): string => {
  const kind = random.pick(["length", "length", "chunked", "chunked", "close", "none"])
  const status = kind === "none" ?
    random.pick(["204 No Content", "304 Not Modified", "200 OK"]) :
    random.pick(["200 OK", "201 Created", "202 Accepted", "404 Not Found", "429 Too Many Requests", "503"])
  const lines = Array.from({ length: random.below(5) }, () => random.pick(headers))
  if (kind === "length") lines.splice(random.below(lines.length + 1), 0, `Content-Length: ${body.length}`)
  if (kind === "chunked") lines.splice(random.below(lines.length + 1), 0, "Transfer-Encoding: chunked")
  if (kind === "none" && status.startsWith("200")) lines.push("Content-Length: 0")
  const interim = random.chance(0.1)
    ? random.pick(["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"])
    : ""
  const version = random.chance(0.1) ? "HTTP/1.0" : "HTTP/1.1"
  const content = kind === "length" || kind === "close" ? body : kind === "chunked" ? chunked(random) : ""
  return `${interim}${version} ${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n${content}`
}

/** Changes one would make who wants one answer to be read as two. */
const smuggling = (answer: string, random: Random): string => {
  switch (random.below(6)) {
    case 0:
      return answer.replace("\r\n", `\r\n${random.pick(smuggled)}\r\n`)
    case 1:
      return answer.replace("\r\n\r\n", `\r\n${random.pick(smuggled)}\r\n\r\n`)
    case 2:
      return `${answer}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`
    case 3:
      return answer.replaceAll("\r\n", random.pick(["\n", "\r", "\r\n\n", "\r\r\n", " \r\n"]))
    case 4:
      return answer.replace(
        /\r\n([\da-f]+)\r\n/,
        (_all, size) =>
          `\r\n${
            random.pick([
              `0${size}`,
              `+${size}`,
              `${size} `,
              `${size};`,
              `0x${size}`,
              `-${size}`,
              `${size}\n`,
              "ffffffffffffffff",
              "fffffffffffff",
              `${size.toUpperCase()}`
            ])
          }\r\n`
      )
    default:
      return answer.replace(
        "HTTP/1.",
        random.pick(["HTTP/2.", "http/1.", "HTTP/1.1 200 OK\r\nHTTP/1.", " HTTP/1.", "ICY/1.", "\r\nHTTP/1."])
      )
  }
}

interface Drawn {
  /** Resolved each time the whole answer was written. */
  readonly written: Array<() => void>
  readonly answer: Buffer
  /** Where it is cut into packets. */
  readonly cuts: ReadonlyArray<number>
  readonly end: "stay" | "end"
  readonly method: string
}

const draw = (random: Random): Drawn => {
  const whole = sound(random)
  const changed = random.chance(0.1) ? whole : random.chance(0.5) ? smuggling(whole, random) : undefined
  const answer = changed === undefined
    ? random.pick(anyText)(Buffer.from(whole, "latin1"), random)
    : Buffer.from(changed, "latin1")
  return {
    written: [],
    answer,
    cuts: Array.from({ length: random.below(4) }, () => random.below(answer.length + 1)).toSorted((a, b) => a - b),
    end: random.pick(["stay", "end"]),
    method: random.chance(0.1) ? "HEAD" : "GET"
  }
}

const second = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"

/** Plays the drawn answer to a connection's first request when its path says so, and `second` to every other. */
const play = (drawn: ReadonlyMap<string, Drawn>) => (socket: Socket) => {
  // Else the kernel keeps back what comes after an answer until the next request acknowledges it.
  socket.setNoDelay(true)
  socket.on("data", (asked) => {
    const path = asked.toString("latin1").split(" ")[1] ?? ""
    const it = drawn.get(path)
    if (it === undefined) return void socket.write(second)
    const ends = [...it.cuts, it.answer.length]
    const next = (at: number) => {
      const to = ends.shift()
      if (to === undefined) {
        it.written.shift()?.()
        return void (it.end === "end" && socket.end())
      }
      socket.write(it.answer.subarray(at, to), () => setImmediate(() => next(to)))
    }
    next(0)
  })
}

const told = (speaker: Speaker, url: string, { method }: Drawn, milliseconds: number) =>
  Effect.scoped(Effect.flatMap(
    send(get(url, { method, timeouts: within(milliseconds) })),
    (response) => Effect.map(text(response), (content) => ({ ...response, content, speaker }))
  ))

const shown = (text: string): string => JSON.stringify(text.length > 2000 ? `${text.slice(0, 2000)}…` : text)

interface Outcome {
  /** "answer", or why there is none. */
  readonly tag: string
  readonly shown: string
}

interface Explained {
  readonly why: string
  readonly refusing: Speaker
  /** The refusal's words. */
  readonly words: RegExp
  /** What the answer must look like. */
  readonly answer?: RegExp
  /** What the other makes of it. */
  readonly other: ReadonlyArray<string>
}

/** Where the two may differ. */
const explained: ReadonlyArray<Explained> = [
  {
    why: "bytes after an answer: node:http may refuse the answer for them, its own closes the connection",
    refusing: "node:http",
    words: /Data after `Connection: close`|Expected HTTP\//,
    other: ["answer", "Timeout"]
  },
  {
    why: "empty lines before an answer: RFC 9112 lets servers alone pass them over",
    refusing: "its own",
    words: /no status line of HTTP\/1.1|a line of the head that is none/,
    other: ["answer", "Timeout", "ConnectionLost"]
  },
  {
    why: "extensions of chunks: node:http looks at how they are written, its own leaves them aside",
    refusing: "node:http",
    words: /chunk extensions/,
    other: ["answer", "SizeMismatch", "ProtocolError", "Timeout"]
  },
  {
    why: "many blanks before a value: its own counts them into the 64 KiB of a head",
    refusing: "its own",
    words: /headers larger than 64 KiB/,
    answer: /[ \t]{10000}/,
    other: ["answer", "SizeMismatch", "ConnectionLost", "Timeout", "ProtocolError"]
  },
  {
    why: "a head that breaks off after a wrong length",
    refusing: "node:http",
    words: /in Content-Length/,
    other: ["ConnectionLost", "Timeout"]
  },
  {
    why: "a tab after the name of the coding: RFC 9110, section 5.5 takes it off, node:http does not",
    refusing: "node:http",
    words: /./,
    answer: /chunked *\t/i,
    other: ["answer"]
  },
  {
    why: "codings of interim answers: there must be none, says RFC 9112, section 6.1",
    refusing: "its own",
    words: /transfer coding/,
    answer: /^HTTP\/1.1 1/,
    other: ["answer", "SizeMismatch", "Timeout", "ProtocolError"]
  },
  {
    why: "lengths above 2^53 - 1",
    refusing: "its own",
    words: /a length that is none|a chunk size that is none/,
    // A number of ten digits or more: with others it is a difference like any.
    answer: /[\da-f]{10}/i,
    other: ["answer", "SizeMismatch", "Timeout"]
  },
  {
    why: "chunks of HTTP/1.0: faulty, says RFC 9112, section 6.1",
    refusing: "its own",
    words: /a transfer coding of HTTP\/1.0/,
    other: ["answer", "ProtocolError", "SizeMismatch", "Timeout"]
  }
]

type World = Readonly<Record<Speaker, ManagedRuntime.ManagedRuntime<Transport, unknown>>>

export const transports: Campaign = {
  name: "transports",
  about: "Changed answers through both transports: the same is read, and the next answer is its own.",
  parallel: 40,
  start: async () => {
    const drawn = new Map<string, Drawn>()
    const figures: Record<string, number> = {}
    const count = (what: string) => figures[what] = (figures[what] ?? 0) + 1
    // Each run has connections of its own: what one leaves behind must meet the next request of the same run.
    const worlds: Array<World> = []
    const free: Array<World> = []
    const world = () => {
      const fresh = free.pop() ?? {
        "node:http": ManagedRuntime.make(transport("node:http")),
        "its own": ManagedRuntime.make(transport("its own"))
      }
      if (!worlds.includes(fresh)) worlds.push(fresh)
      return fresh
    }
    const stopped = Promise.withResolvers<void>()
    const started = Promise.withResolvers<Running>()
    const serving = Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      started.resolve(yield* rawServer(play(drawn)))
      yield* Effect.promise(() => stopped.promise)
    })))
    const { port } = await started.promise
    const outcome = async (
      world: World,
      speaker: Speaker,
      index: number,
      it: Drawn,
      milliseconds = 150
    ): Promise<Outcome> => {
      const url = `http://127.0.0.1:${port}/${index}-${speaker.length}`
      drawn.set(new URL(url).pathname, it)
      const written = new Promise<void>((resolve) => it.written.push(resolve))
      const exit = await world[speaker].runPromiseExit(told(speaker, url, it, milliseconds))
      await written
      drawn.delete(new URL(url).pathname)
      if (Exit.isSuccess(exit)) {
        const { content, headers, status } = exit.value
        return { tag: "answer", shown: JSON.stringify([status, headers, content]) }
      }
      const [reason] = exit.cause.reasons
      const error = reason?._tag === "Fail" && reason.error instanceof StoreError ? reason.error : undefined
      return error === undefined
        ? { tag: "defect", shown: String(exit.cause) }
        : { tag: error.reason._tag, shown: error.message.replace(url, "URL") }
    }
    const after = async (world: World, speaker: Speaker): Promise<string> => {
      const asked = send(get(`http://127.0.0.1:${port}/after`))
      const exit = await world[speaker].runPromiseExit(Effect.scoped(Effect.flatMap(asked, text)))
      return Exit.isSuccess(exit) ? exit.value : String(exit)
    }
    return {
      run: async (random, index) => {
        const it = draw(random)
        const mine = world()
        let theirs = await outcome(mine, "node:http", index, it)
        let own = await outcome(mine, "its own", index, it)
        if (theirs.tag !== own.tag && (theirs.tag === "Timeout" || own.tag === "Timeout")) {
          // Perhaps the machine was busy.
          theirs = await outcome(mine, "node:http", index, it, 1500)
          own = await outcome(mine, "its own", index, it, 1500)
        }
        const violations: Array<string> = []
        // What comes late on an idle connection closes it, when there is a moment to see it: a look at all sockets, which
        // a timer that is late already would come before.
        await new Promise((resolve) => setTimeout(resolve, 10))
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
        const next = await after(mine, "its own")
        if (next !== "second")
          violations.push(`its own then read ${shown(next)} after ${shown(it.answer.toString("latin1"))}`)
        const theirNext = await after(mine, "node:http")
        if (theirNext !== "second") violations.push(`node:http then read ${shown(theirNext)}`)
        count(own.tag === "answer" ? "read" : own.tag)
        if (theirs.tag === "defect" || own.tag === "defect") violations.push(`${theirs.shown} ${own.shown}`)
        // node:http leaves out what comes after two thousand headers.
        const isMuch = (it.answer.toString("latin1").match(/\r\n/g)?.length ?? 0) > 1000
        const same = theirs.tag === own.tag && (own.tag !== "answer" || isMuch || theirs.shown === own.shown)
        if (!same) {
          const why = explained.find(({ answer, other, refusing, words }) =>
            (answer === undefined || answer.test(it.answer.toString("latin1"))) &&
            words.test((refusing === "its own" ? own : theirs).shown) &&
            other.includes((refusing === "its own" ? theirs : own).tag)
          )
          if (why !== undefined) count(`differ: ${why.why}`)
          else {
            const parts = [theirs.shown, own.shown, it.method, it.end, it.answer.toString("latin1")].map(shown)
            violations.push(`node:http, its own, method, end, answer: ${parts.join("\n  ")}`)
          }
        }
        // What one run left on a connection is not told of another.
        if (next === "second" && theirNext === "second") free.push(mine)
        return violations
      },
      figures: () => figures,
      stop: async () => {
        stopped.resolve()
        await serving
        for (const it of worlds) for (const speaker of speakers) await it[speaker].dispose()
      }
    }
  }
}
