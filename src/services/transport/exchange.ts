/**
 * One request and its response on a connection. Bytes move in callbacks, held back by what is still in use, never by an
 * Effect step for each. Touches the platform: node:http.
 */
import { Effect } from "effect"
import type { ClientRequest, IncomingMessage } from "node:http"
import type { Headers } from "../../schemas/Manifest.ts"
import { type StoreError, storeError } from "../../schemas/StoreError.ts"
import { attempt, type Pump, type Sink } from "../Bytes.ts"
import type { TransportResponse } from "../Transport.ts"
import type { Call } from "./call.ts"
import { exchangeFailed, timedOut } from "./failures.ts"
import type { Lease } from "./idle.ts"
import { nodeHttp } from "./loaded.ts"
import { queuedBytes, watchStall } from "./stall.ts"

/** Bytes of a response that may be in use before reading stops, and at which it goes on. */
const mostOut = 1024 * 1024
const lowOut = 512 * 1024

export class Exchange {
  readonly #call: Call
  readonly #lease: Lease
  readonly #request: ClientRequest
  readonly #bytesBefore: number
  #response: IncomingMessage | undefined
  #failure: StoreError | undefined
  #isEnded = false
  #sawEnd = false
  #isTaken = false
  #isPaused = false
  #received = 0
  #onHead: ((head: Effect.Effect<TransportResponse, StoreError>) => void) | undefined
  #onBody: ((end: Effect.Effect<void, StoreError>) => void) | undefined
  #stopWatching = () => {}
  #whenEnded = () => {}
  #headTimer: NodeJS.Timeout | undefined

  /** Throws what node:http finds wrong with method, target or headers. */
  constructor(lease: Lease, call: Call) {
    this.#call = call
    this.#lease = lease
    const { socket } = lease
    this.#bytesBefore = socket.bytesRead
    this.#request = nodeHttp().request({
      method: call.request.method,
      path: call.target,
      headers: call.headers,
      setHost: false,
      createConnection: () => socket,
      maxHeaderSize: 65_536,
      insecureHTTPParser: false
    })
    socket.once("end", this.#ended)
    socket.once("free", this.#freed)
    this.#request.on("error", (error) => this.#lost(error))
    this.#request.once("response", (response) => this.#answered(response))
    this.#request.once("upgrade", () => this.#fail(this.#malformed("an upgrade nobody asked for")))
    this.#request.once("finish", () => this.#sent())
  }

  /** Nothing of a response came yet. */
  get isUnanswered(): boolean {
    return this.#lease.socket.bytesRead === this.#bytesBefore
  }

  /** Sends the request and gives the response's head, which may come before the body was sent whole. */
  get run(): Effect.Effect<TransportResponse, StoreError> {
    const { body, timeouts } = this.#call.request
    if (body !== undefined && !(body instanceof Uint8Array)) return Effect.raceFirst(this.#head, this.#pumped(body))
    if (body !== undefined && body.length > 0) this.#watchSending(timeouts.stall)
    this.#request.end(body)
    return this.#head
  }

  /** Interruption closes the connection. */
  readonly #head: Effect.Effect<TransportResponse, StoreError> = Effect.callback((resume) => {
    if (this.#failure !== undefined) return resume(Effect.fail(this.#failure))
    this.#onHead = resume
    return Effect.sync(() => this.#stop())
  })

  /** Sends the body, and then waits for ever: the head ends the race. */
  #pumped(body: { readonly pump: Pump; readonly size: number | undefined }): Effect.Effect<never, StoreError> {
    const request = this.#request
    this.#watchSending(this.#call.request.timeouts.stall)
    let sent = 0
    const sink: Sink = (view, release) => {
      sent += view.length
      if (body.size !== undefined && sent > body.size) throw this.#uneven(body.size, sent)
      if (view.length === 0 || request.destroyed) release()
      else request.write(view, () => release())
    }
    return Effect.flatMap(body.pump(sink), () => {
      if (body.size !== undefined && sent !== body.size) return Effect.fail(this.#uneven(body.size, sent))
      request.end()
      return Effect.never
    })
  }

  #uneven(size: number, sent: number): StoreError {
    return storeError(this.#call.operation, "SizeMismatch", `short read [expected ${size}, received ${sent}]: EOF`)
  }

  #watchSending(stall: number): void {
    const { socket } = this.#lease
    this.#stopWatching = watchStall(stall, {
      moved: () => socket.bytesWritten - socket.writableLength - queuedBytes(socket),
      isWaiting: () => socket.writableLength > 0 || queuedBytes(socket) > 0,
      stalled: () => this.#fail(timedOut(this.#call.operation, "less than 10 KiB of the request sent", stall))
    })
  }

  /** The whole request is on its way: from now on the server is awaited. */
  #sent(): void {
    if (this.#response !== undefined || this.#failure !== undefined) return
    this.#stopWatching()
    const { method, timeouts } = this.#call.request
    const limit = method === "PUT" ? Math.max(timeouts.commit, timeouts.headers) : timeouts.headers
    if (limit <= 0 || (method === "PUT" && timeouts.commit <= 0)) return
    this.#headTimer = setTimeout(
      () => this.#fail(timedOut(this.#call.operation, "no response headers", limit)),
      limit
    )
  }

  #answered(response: IncomingMessage): void {
    this.#stopWatching()
    clearTimeout(this.#headTimer)
    this.#response = response
    response.on("error", (error) => this.#lost(error))
    response.once("end", () => this.#finished())
    const status = response.statusCode ?? 0
    const coding = response.headers["transfer-encoding"]
    if (status < 200 || status > 599) return this.#fail(this.#malformed(`status ${status}`))
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      return this.#fail(this.#malformed("unknown transfer coding"))
    }
    const head: TransportResponse = {
      status,
      headers: headersOf(response),
      ...(this.#lease.reach === undefined ? {} : { reach: this.#lease.reach }),
      body: this.#body
    }
    const isEmpty = this.#call.request.method === "HEAD" || status === 204 || status === 304 || expected(response) === 0
    if (!isEmpty) return this.#onHead?.(Effect.succeed(head))
    // Nobody has to take what is not there.
    response.resume()
    this.#whenEnded = () => this.#onHead?.(Effect.succeed(head))
  }

  readonly #body: Pump = (sink) =>
    Effect.callback<void, StoreError>((resume) => {
      if (this.#isTaken) return resume(Effect.die(new Error("a response body is taken once")))
      this.#isTaken = true
      if (this.#failure !== undefined) return resume(Effect.fail(this.#failure))
      if (this.#isEnded) return resume(Effect.void)
      this.#onBody = resume
      this.#whenEnded = () => resume(Effect.void)
      const { stall } = this.#call.request.timeouts
      this.#stopWatching = watchStall(stall, {
        moved: () => this.#received,
        isWaiting: () => !this.#isPaused,
        stalled: () => this.#fail(timedOut(this.#call.operation, "stalled: less than 10 KiB received", stall))
      })
      this.#deliver(sink)
      return Effect.sync(() => this.#stop())
    })

  #deliver(sink: Sink): void {
    const response = this.#response
    let out = 0
    response?.on("data", (view: Buffer) => {
      const size = view.length
      this.#received += size
      out += size
      let isOut = true
      const release = () => {
        if (!isOut) return
        isOut = false
        out -= size
        if (this.#isPaused && out <= lowOut) {
          this.#isPaused = false
          response.resume()
        }
      }
      try {
        attempt(() => sink(view, release), (error) => this.#fail(error))
      } catch (bug) {
        this.#stop()
        this.#onBody?.(Effect.die(bug))
      }
      if (out > mostOut && !this.#isPaused) {
        this.#isPaused = true
        response.pause()
      }
    })
  }

  /** The last byte of the response was taken. Who waits is told when the connection can serve the next request. */
  #finished(): void {
    this.#isEnded = true
    this.#stopWatching()
    // Answered before the request was sent whole: what is left of it cannot be told from the next request.
    if (this.#request.writableFinished) this.#lease.complete()
    else this.#lease.end()
    if (this.#request.writableFinished && this.#request.shouldKeepAlive) this.#lease.socket.once("close", this.#closed)
    else this.#whenEnded()
  }

  readonly #closed = (): void => this.#whenEnded()

  readonly #freed = (): void => {
    const { socket } = this.#lease
    socket.off("end", this.#ended)
    socket.off("close", this.#closed)
    const hint = /timeout=(\d+)/i.exec(String(this.#response?.headers["keep-alive"] ?? ""))?.[1]
    this.#lease.giveBack(hint === undefined ? undefined : Number(hint))
    this.#whenEnded()
  }

  readonly #ended = (): void => {
    this.#sawEnd = true
  }

  #lost(error: unknown): void {
    const size = this.#response === undefined ? undefined : expected(this.#response)
    // Cleanly closed too early and torn down are told apart: proxies do the first (faults N06, N07).
    if (this.#response !== undefined && this.#sawEnd) {
      const { operation } = this.#call
      const what = size === undefined ?
        "the body ended before its last chunk" :
        `short read [expected ${size}, received ${this.#received}]: EOF`
      this.#fail(storeError(operation, "SizeMismatch", what, { cause: error }))
    } else this.#fail(exchangeFailed(this.#call.operation, this.#call.address, error))
  }

  #malformed(what: string): StoreError {
    return storeError(this.#call.operation, "ProtocolError", `malformed HTTP response: ${what}`)
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
    clearTimeout(this.#headTimer)
    if (!this.#isEnded) this.#lease.end()
  }
}

const expected = (response: IncomingMessage): number | undefined => {
  const length = response.headers["content-length"]
  return length === undefined || response.headers["transfer-encoding"] !== undefined ? undefined : Number(length)
}

const headersOf = ({ rawHeaders }: IncomingMessage): Headers => {
  const headers = new Map<string, Array<string>>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = "", value = ""] = [rawHeaders[at]?.toLowerCase(), rawHeaders[at + 1]]
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [value])
    else values.push(value)
  }
  return Object.fromEntries(headers)
}
