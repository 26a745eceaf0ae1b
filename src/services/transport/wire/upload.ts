/**
 * The request's way out: its head and a small body in one write, a large one in the views of its pump, each released
 * when the socket has it. Touches the platform: sockets.
 */
import { Effect } from "effect"
import type { Socket } from "node:net"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import type { Pump, Sink } from "../../Bytes.ts"
import type { Call } from "../call.ts"
import { timedOut } from "../failures.ts"
import { queuedBytes, watchStall } from "../stall.ts"
import { requestHead } from "./requestHead.ts"

/** A body up to this size is copied behind the head; a larger one costs less as a second piece of one write. */
const mostCopied = 4096

export interface UploadEvents {
  /** The last byte is with the system. */
  readonly sent: () => void
  readonly failed: (error: StoreError) => void
}

export class Upload {
  readonly #socket: Socket
  readonly #call: Call
  readonly #head: string
  readonly #events: UploadEvents
  /** Writes whose bytes the system has not taken yet. */
  #owed = 0
  #isWritten = false
  #isStopped = false
  #stopWatching = () => {}

  /** Throws what is wrong with method, target or headers. */
  constructor(socket: Socket, call: Call, events: UploadEvents) {
    this.#socket = socket
    this.#call = call
    this.#events = events
    this.#head = requestHead(call.request.method, call.target, call.headers)
  }

  /** Whether all was sent; `undefined` while the last bytes are under way, which `sent` will tell. */
  get isEven(): boolean | undefined {
    if (!this.#isWritten) return false
    return this.#owed === 0 ? true : undefined
  }

  /** Sends; a body that is pumped runs with the effect, which ends in failure only: the answer ends the race. */
  start(): Effect.Effect<never, StoreError> | undefined {
    const { body } = this.#call.request
    if (body === undefined) this.#last(this.#head)
    else if (!(body instanceof Uint8Array)) return this.#pumped(body)
    else {
      if (body.length > 0) this.#watch()
      if (body.length <= mostCopied) this.#last(Buffer.concat([Buffer.from(this.#head, "latin1"), body]))
      else {
        this.#socket.cork()
        this.#write(this.#head)
        this.#last(body)
        this.#socket.uncork()
      }
    }
    return undefined
  }

  /** The answer is there: a server that has answered may stop reading. */
  answered(): void {
    this.#stopWatching()
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatching()
  }

  #pumped(body: { readonly pump: Pump; readonly size: number | undefined }): Effect.Effect<never, StoreError> {
    this.#watch()
    this.#write(this.#head)
    let sent = 0
    const isChunked = body.size === undefined
    const sink: Sink = (view, release) => {
      sent += view.length
      if (body.size !== undefined && sent > body.size) throw this.#uneven(body.size, sent)
      if (view.length === 0 || this.#isStopped || this.#socket.destroyed) return release()
      if (!isChunked) return this.#write(view, release)
      this.#socket.cork()
      this.#write(Buffer.from(`${view.length.toString(16)}\r\n`, "latin1"))
      this.#write(view, release)
      this.#write(lineEnd)
      this.#socket.uncork()
    }
    return Effect.flatMap(body.pump(sink), () => {
      if (body.size !== undefined && sent !== body.size) return Effect.fail(this.#uneven(body.size, sent))
      if (isChunked) this.#last(lastChunk)
      else this.#last(undefined)
      return Effect.never
    })
  }

  /** A text is of bytes as characters. */
  #write(bytes: Uint8Array | string, release: () => void = () => {}): void {
    this.#owed++
    this.#socket.write(bytes, "latin1", () => {
      this.#owed--
      release()
      if (this.#owed === 0 && this.#isWritten) this.#done()
    })
  }

  #last(bytes: Uint8Array | string | undefined): void {
    this.#isWritten = true
    if (bytes !== undefined) this.#write(bytes)
    else if (this.#owed === 0) this.#done()
  }

  #done(): void {
    this.#stopWatching()
    if (!this.#isStopped) this.#events.sent()
  }

  #uneven(size: number, sent: number): StoreError {
    return storeError(this.#call.operation, "SizeMismatch", `short read [expected ${size}, received ${sent}]: EOF`)
  }

  #watch(): void {
    const { stall } = this.#call.request.timeouts
    const socket = this.#socket
    this.#stopWatching = watchStall(stall, {
      moved: () => socket.bytesWritten - socket.writableLength - queuedBytes(socket),
      isWaiting: () => socket.writableLength > 0 || queuedBytes(socket) > 0,
      stalled: () => this.#events.failed(timedOut(this.#call.operation, "less than 10 KiB of the request sent", stall))
    })
  }
}

const lineEnd = Buffer.from("\r\n")
const lastChunk = Buffer.from("0\r\n\r\n")
