/**
 * One request and its response over a reader: the head parsed, the body handed on in views of the read buffer, never
 * by an Effect step for each. Touches the platform: sockets, timers.
 */
import { Effect } from "effect"
import { Chunks } from "../../../lib/http/chunks.ts"
import { checkHeadSoFar, Malformed, parseResponseHead, type ResponseHead } from "../../../lib/http/responseHead.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import { attempt, type Pump, type Sink } from "../../Bytes.ts"
import type { TransportResponse } from "../../Transport.ts"
import type { Call } from "../call.ts"
import { exchangeFailed, timedOut } from "../failures.ts"
import type { Lease } from "../idle.ts"
import { watchStall } from "../stall.ts"
import type { Area } from "./buffers.ts"
import type { Reader } from "./reader.ts"
import { Upload } from "./upload.ts"

/** Bytes of a response that may be in use before reading stops, and at which it goes on. */
const mostOut = 1024 * 1024
const lowOut = 512 * 1024
/** Above that what is left of a body is read into large areas. */
const muchLeft = 128 * 1024
const mostHead = 65_536

const headEnd = Buffer.from("\r\n\r\n")

export class WireExchange {
  readonly #call: Call
  readonly #lease: Lease
  readonly #reader: Reader
  readonly #upload: Upload
  #isUnanswered = true
  #partial = ""
  #checked = 0
  #head: ResponseHead | undefined
  #chunks: Chunks | undefined
  /** Of a body with a length. */
  #left = 0
  #received = 0
  #out = 0
  #sink: Sink | undefined
  #isTaken = false
  #isWaiting = true
  #failure: StoreError | undefined
  #isEnded = false
  #isAlone = true
  #onHead: ((head: Effect.Effect<TransportResponse, StoreError>) => void) | undefined
  #onBody: ((end: Effect.Effect<void, StoreError>) => void) | undefined
  #stopWatching = () => {}
  #headTimer: NodeJS.Timeout | undefined

  /** Throws what is wrong with method, target or headers. */
  constructor(lease: Lease, reader: Reader, call: Call) {
    this.#call = call
    this.#lease = lease
    this.#reader = reader
    this.#upload = new Upload(lease.socket, call, {
      sent: () => this.#sent(),
      failed: (error) => this.#fail(error)
    })
    reader.to({
      received: (area, from, to) => this.#take(area, from, to),
      ended: () => this.#ended(),
      lost: (error) => this.#fail(this.#broken(error ?? hungUp()))
    })
  }

  /** Nothing of a response came yet. */
  get isUnanswered(): boolean {
    return this.#isUnanswered
  }

  /** Sends the request and gives the response's head, which may come before the body was sent whole. */
  get run(): Effect.Effect<TransportResponse, StoreError> {
    const pumped = this.#upload.start()
    return pumped === undefined ? this.#answer : Effect.raceFirst(this.#answer, pumped)
  }

  /** Interruption closes the connection. */
  readonly #answer: Effect.Effect<TransportResponse, StoreError> = Effect.callback((resume) => {
    if (this.#failure !== undefined) return resume(Effect.fail(this.#failure))
    if (this.#head !== undefined) return resume(Effect.succeed(this.#response(this.#head)))
    this.#onHead = resume
    return Effect.sync(() => this.#stop())
  })

  /** The whole request is on its way: from now on the server is awaited. */
  #sent(): void {
    if (this.#isEnded) return this.#release()
    if (this.#head !== undefined || this.#failure !== undefined) return
    const { method, timeouts } = this.#call.request
    const limit = method === "PUT" ? Math.max(timeouts.commit, timeouts.headers) : timeouts.headers
    if (limit <= 0 || (method === "PUT" && timeouts.commit <= 0)) return
    this.#headTimer = setTimeout(
      () => this.#fail(timedOut(this.#call.operation, "no response headers", limit)),
      limit
    )
  }

  #take(area: Area, from: number, to: number): number {
    this.#isUnanswered = false
    try {
      let at = from
      while (at < to && this.#failure === undefined && !this.#isEnded) {
        if (this.#head === undefined) at = this.#takeHead(area, at, to)
        else if (this.#sink === undefined) return this.#hold(at, to)
        else if (this.#out >= mostOut) return at
        else at = this.#takeBody(area, at, to)
      }
      return this.#failure === undefined ? at : to
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.#fail(storeError(this.#call.operation, "ProtocolError", `malformed HTTP response: ${error.message}`))
      return to
    }
  }

  /** The head of the answer, after any number of interim ones. */
  #takeHead(area: Area, from: number, to: number): number {
    let text = this.#partial
    let at = from
    if (text === "") {
      const end = area.bytes.indexOf(headEnd, from)
      if (end >= 0 && end + 4 <= to) {
        text = area.bytes.toString("latin1", from, end)
        at = end + 4
        return this.#parsed(text, at, to)
      }
    }
    text += area.bytes.toString("latin1", from, Math.min(to, from + mostHead + 4))
    const end = text.indexOf("\r\n\r\n", Math.max(0, this.#partial.length - 3))
    if (end < 0) {
      if (text.length > mostHead) throw new Malformed("headers larger than 64 KiB")
      this.#checked = checkHeadSoFar(text, this.#checked)
      this.#partial = text
      return to
    }
    at = from + end + 4 - this.#partial.length
    this.#partial = ""
    this.#checked = 0
    return this.#parsed(text.slice(0, end), at, to)
  }

  #parsed(text: string, at: number, to: number): number {
    if (text.length > mostHead) throw new Malformed("headers larger than 64 KiB")
    const head = parseResponseHead(text, this.#call.request.method === "HEAD")
    if (head.status === 101) throw new Malformed("an upgrade nobody asked for")
    if (head.status < 100 || head.status > 599) throw new Malformed(`status ${head.status}`)
    if (head.status < 200) return at
    this.#head = head
    this.#upload.answered()
    clearTimeout(this.#headTimer)
    if (head.framing === "chunked") this.#chunks = new Chunks()
    this.#left = head.framing === "close" ? Number.POSITIVE_INFINITY : head.framing === "chunked" ? 0 : head.framing
    if (head.framing === 0) this.#finished(at < to)
    this.#onHead?.(Effect.succeed(this.#response(head)))
    return at
  }

  #response({ headers, status }: ResponseHead): TransportResponse {
    return {
      status,
      headers,
      ...(this.#lease.reach === undefined ? {} : { reach: this.#lease.reach }),
      body: this.#body
    }
  }

  /** A body nobody takes yet; the rest of one that came whole needs no reading. */
  #hold(at: number, to: number): number {
    if (this.#chunks !== undefined || this.#left > to - at) this.#reader.pause()
    return at
  }

  readonly #body: Pump = (sink) =>
    Effect.callback<void, StoreError>((resume) => {
      if (this.#isTaken) return resume(Effect.die(new Error("a response body is taken once")))
      this.#isTaken = true
      if (this.#failure !== undefined) return resume(Effect.fail(this.#failure))
      if (this.#isEnded) return resume(Effect.void)
      this.#onBody = resume
      this.#sink = sink
      this.#reader.wantsMuch = this.#chunks !== undefined || this.#left > muchLeft
      this.#reader.resume()
      if (this.#isEnded || this.#failure !== undefined) return
      const { stall } = this.#call.request.timeouts
      this.#stopWatching = watchStall(stall, {
        moved: () => this.#received,
        isWaiting: () => this.#isWaiting,
        stalled: () => this.#fail(timedOut(this.#call.operation, "stalled: less than 10 KiB received", stall))
      })
      return Effect.sync(() => this.#stop())
    })

  #takeBody(area: Area, at: number, to: number): number {
    const chunks = this.#chunks
    if (chunks === undefined) {
      const end = Math.min(to, at + this.#left)
      this.#left -= end - at
      this.#handOn(area, at, end)
      if (this.#left === 0 && this.#failure === undefined) this.#finished(end < to)
      return end
    }
    const next = chunks.next(area.bytes, at, to)
    if (chunks.from < chunks.to) this.#handOn(area, chunks.from, chunks.to)
    if (chunks.isDone && this.#failure === undefined) this.#finished(next < to)
    return next
  }

  #handOn(area: Area, from: number, to: number): void {
    const size = to - from
    this.#received += size
    this.#out += size
    this.#reader.keep(area)
    let isOut = true
    const release = () => {
      if (!isOut) return
      isOut = false
      this.#out -= size
      this.#reader.giveBack(area)
      if (!this.#isWaiting && this.#out <= lowOut && this.#failure === undefined) {
        this.#isWaiting = true
        this.#reader.resume()
      }
    }
    try {
      attempt(() => this.#sink?.(area.bytes.subarray(from, to), release), (error) => this.#fail(error))
    } catch (bug) {
      this.#stop()
      this.#onBody?.(Effect.die(bug))
    }
    if (this.#out >= mostOut && this.#isWaiting) {
      this.#isWaiting = false
      this.#reader.pause()
    }
  }

  /** The last byte of the response was taken; more than that makes the connection useless. */
  #finished(hasMore: boolean): void {
    this.#isEnded = true
    this.#isAlone = !hasMore && !this.#reader.hasMore
    this.#stopWatching()
    this.#release()
    this.#onBody?.(Effect.void)
  }

  /**
   * The connection serves another request when this one was sent whole and its answer is all that came. Answered before
   * it was sent whole: what is left of it cannot be told from the next request.
   */
  #release(): void {
    const { isEven } = this.#upload
    if (isEven === undefined) return
    this.#reader.to(undefined)
    if (!isEven || !this.#isAlone || this.#head?.isKept !== true) return this.#lease.end()
    this.#lease.complete()
    const hint = /timeout=(\d+)/i.exec(String(this.#head.headers["keep-alive"] ?? ""))?.[1]
    this.#lease.giveBack(hint === undefined ? undefined : Number(hint))
  }

  #ended(): void {
    if (this.#head === undefined || this.#head.framing !== "close") return this.#fail(this.#cut())
    this.#finished(false)
  }

  /** Cleanly closed too early; torn down is told apart: proxies do the first (faults N06, N07). */
  #cut(): StoreError {
    if (this.#head === undefined) return this.#broken(hungUp())
    const { framing } = this.#head
    const what = typeof framing === "number"
      ? `short read [expected ${framing}, received ${this.#received}]: EOF`
      : "the body ended before its last chunk"
    return storeError(this.#call.operation, "SizeMismatch", what)
  }

  #broken(error: unknown): StoreError {
    return exchangeFailed(this.#call.operation, this.#call.address, error)
  }

  #fail(error: StoreError): void {
    if (this.#failure !== undefined || this.#isEnded) return
    this.#failure = error
    this.#stop()
    this.#onHead?.(Effect.fail(error))
    this.#onBody?.(Effect.fail(error))
  }

  #stop(): void {
    this.#stopWatching()
    this.#upload.stop()
    clearTimeout(this.#headTimer)
    if (!this.#isEnded) this.#lease.end()
  }
}

/** A connection that closed without a word. */
const hungUp = (): Error => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })
