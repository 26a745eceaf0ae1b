/**
 * What a socket receives, read into lent memory without a copy (`onread` of node:net) and handed to whoever waits for
 * it. Bytes that nobody waits for end the connection: they would be taken for the answer to the next request. Touches
 * the platform: sockets.
 */
import type { Socket } from "node:net"
import type { Area, Buffers } from "./buffers.ts"

export interface Receiver {
  /** Takes bytes `from` to `to` of the area; gives the position after what it took, less than `to` when it pauses. */
  readonly received: (area: Area, from: number, to: number) => number
  /** The other side sends nothing any more. */
  readonly ended: () => void
  readonly lost: (error: unknown) => void
}

/** Left in an area, it is enough for the next read. */
const leastRoom = { small: 8 * 1024, large: 128 * 1024 }

/** Records of TLS come in 16 KiB: those of one turn are handed over together while there is room for another. */
const recordRoom = 32 * 1024

interface Piece {
  readonly area: Area
  readonly from: number
  readonly to: number
}

export class Reader {
  readonly #buffers: Buffers
  #socket: Socket | undefined
  #gathers = false
  #receiver: Receiver | undefined
  /** What the next read goes into, from `#at`; what lies before it from `#from` was not handed over yet. */
  #area: Area
  #from = 0
  #at = 0
  #later: NodeJS.Immediate | undefined
  #isPaused = false
  #hasEnded = false
  /** Received while paused. */
  #pieces: Array<Piece> = []
  /** A body goes on: the next area may be a large one. */
  wantsMuch = false

  constructor(buffers: Buffers) {
    this.#buffers = buffers
    this.#area = buffers.take("small")
  }

  /** For the options of the socket to come: says after each read where the next one lands. */
  readonly onread = {
    buffer: (): Uint8Array => this.#area.bytes.subarray(this.#at),
    callback: (length: number): boolean => {
      this.#at += length
      if (this.#gathers && this.wantsMuch && this.#area.bytes.length - this.#at >= recordRoom) {
        this.#later ??= setImmediate(() => this.#handOver())
      } else {
        this.#handOver()
        this.#makeRoom()
      }
      return !this.#isPaused
    }
  }

  /** `isOwnRead`: the socket was made with `onread`; any other hands over what it read itself. */
  attach(socket: Socket, { gathers, isOwnRead }: { readonly gathers: boolean; readonly isOwnRead: boolean }): void {
    this.#socket = socket
    this.#gathers = gathers
    if (!isOwnRead) socket.on("data", (bytes: Buffer) => this.#fed(bytes))
    socket.on("end", () => {
      this.#hasEnded = true
      this.#handOver()
      if (this.#pieces.length === 0) this.#tellEnd()
    })
    socket.on("error", (error) => this.#receiver?.lost(error))
    socket.once("close", () => {
      this.#receiver?.lost(undefined)
      clearImmediate(this.#later)
      for (const { area } of this.#pieces.splice(0)) this.#buffers.giveBack(area)
      this.#buffers.giveBack(this.#area)
    })
  }

  /** Memory of the socket's own, which has no place among ours: it always keeps a user. */
  #fed(bytes: Buffer): void {
    this.#queue({ area: { bytes, users: 2 }, from: 0, to: bytes.length })
    if (this.#isPaused) this.#socket?.pause()
  }

  /** From now on bytes go there; to nobody with `undefined`. */
  to(receiver: Receiver | undefined): void {
    this.#receiver = receiver
    this.wantsMuch = false
    this.#isPaused = false
  }

  /** Whether bytes came that nobody took. */
  get hasMore(): boolean {
    return this.#pieces.length > 0 || this.#from < this.#at
  }

  /** Nothing is read or handed over until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  /** Hands over what was held back, and reads on. */
  resume(): void {
    this.#isPaused = false
    while (!this.#isPaused) {
      const piece = this.#pieces.shift()
      if (piece === undefined) break
      if (!this.#deliver(piece.area, piece.from, piece.to)) return
    }
    if (this.#isPaused) return
    if (this.#hasEnded) this.#tellEnd()
    else this.#socket?.resume()
  }

  /** A view of what is being received stays valid until the area is given back. */
  keep(area: Area): void {
    area.users++
  }

  giveBack(area: Area): void {
    this.#buffers.giveBack(area)
  }

  #handOver(): void {
    if (this.#later !== undefined) {
      clearImmediate(this.#later)
      this.#later = undefined
    }
    if (this.#from === this.#at) return
    const [area, from, to] = [this.#area, this.#from, this.#at]
    this.#from = to
    area.users++
    this.#queue({ area, from, to })
  }

  #queue(piece: Piece): void {
    if (!this.#isPaused && this.#pieces.length === 0) return void this.#deliver(piece.area, piece.from, piece.to)
    this.#pieces.push(piece)
    this.#isPaused = true
  }

  /** Ends one use of the area when all was taken; false when not. */
  #deliver(area: Area, from: number, to: number): boolean {
    const receiver = this.#receiver
    if (receiver === undefined) this.#socket?.destroy()
    const taken = receiver === undefined ? to : receiver.received(area, from, to)
    if (taken < to) this.#pieces.unshift({ area, from: taken, to })
    else this.#buffers.giveBack(area)
    return taken === to
  }

  #tellEnd(): void {
    if (this.#receiver === undefined) this.#socket?.destroy()
    else this.#receiver.ended()
  }

  /** Nobody kept the bytes: the memory is used again. Nearly full: another area. Only between two reads. */
  #makeRoom(): void {
    const isSmall = this.#area.bytes.length <= leastRoom.large
    if (this.wantsMuch && isSmall) return this.#renew("large")
    if (this.#area.users === 1) this.#from = this.#at = 0
    else if (this.#area.bytes.length - this.#at < (isSmall ? leastRoom.small : leastRoom.large)) {
      this.#renew(this.wantsMuch ? "large" : "small")
    }
  }

  #renew(size: "small" | "large"): void {
    this.#buffers.giveBack(this.#area)
    this.#area = this.#buffers.take(size)
    this.#from = this.#at = 0
  }
}
