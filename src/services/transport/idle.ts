/**
 * Connections between two requests, by what they were opened for. They keep no process alive and are closed after
 * 90 seconds, or sooner where the server announced it. Touches the platform: sockets.
 */
import type { Socket } from "node:net"
import type { Connection } from "./dial.ts"

const longest = 90_000
/** Milliseconds between two looks for connections that were idle for too long. */
const lookEvery = 1000

interface Idle {
  readonly connection: Connection
  readonly until: number
}

/** Milliseconds of a clock that nobody sets. That of `performance` is a module more to load, for runs of one request. */
const clock = (): number => process.uptime() * 1000

/** A connection lent for one request. */
export interface Lease extends Connection {
  readonly isReused: boolean
  /** The exchange is complete: the lease's end does no more harm to the connection. */
  readonly complete: () => void
  /** After that, the connection may serve another. `hint`: seconds the server keeps it open. */
  readonly giveBack: (hint: number | undefined) => void
  /** Ends a lease whose exchange is not complete: the connection is closed. */
  readonly end: () => void
}

export class IdleConnections {
  readonly #idle = new Map<string, Array<Idle>>()
  readonly #open = new Set<Socket>()
  #isClosed = false
  /** One for all of them: a connection is lent and given back far more often than it grows old. */
  #looking: NodeJS.Timeout | undefined

  /** The connection used last for this key, if one is left. */
  take(key: string): Lease | undefined {
    const list = this.#idle.get(key)
    for (let it = list?.pop(); it !== undefined; it = list?.pop()) {
      if (list?.length === 0) this.#idle.delete(key)
      const { reader, socket } = it.connection
      if (reader === undefined) socket.off("data", drop)
      const isOld = it.until <= clock()
      if (isOld || socket.destroyed || socket.readableEnded || !socket.writable) socket.destroy()
      else {
        socket.ref()
        return this.#lend(key, it.connection, true)
      }
    }
    return undefined
  }

  /** Lends a fresh connection. */
  adopt(key: string, connection: Connection): Lease {
    this.#open.add(connection.socket)
    connection.socket.once("close", () => {
      this.#open.delete(connection.socket)
      this.#forget(key, connection)
    })
    return this.#lend(key, connection, false)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#looking)
    for (const socket of this.#open) socket.destroy()
  }

  #lend(key: string, connection: Connection, isReused: boolean): Lease {
    let state: "lent" | "complete" | "over" = "lent"
    const { reach, reader, socket } = connection
    return {
      socket,
      ...(reader === undefined ? {} : { reader }),
      ...(reach === undefined ? {} : { reach }),
      isReused,
      complete: () => {
        if (state === "lent") state = "complete"
      },
      giveBack: (hint) => {
        if (state !== "complete") return
        state = "over"
        this.#keep(key, connection, hint === undefined ? longest : Math.min(longest, (hint - 1) * 1000))
      },
      end: () => {
        if (state !== "lent") return
        state = "over"
        connection.socket.destroy()
      }
    }
  }

  #keep(key: string, connection: Connection, milliseconds: number): void {
    const { reader, socket } = connection
    if (this.#isClosed || milliseconds <= 0 || socket.destroyed || !socket.writable || socket.readableEnded) {
      socket.destroy()
      return
    }
    // Nothing may come on an idle connection: what came would be taken for the answer to the next request.
    if (reader === undefined) socket.on("data", drop)
    socket.unref()
    const idle: Idle = { connection, until: clock() + milliseconds }
    const list = this.#idle.get(key)
    if (list === undefined) this.#idle.set(key, [idle])
    else list.push(idle)
    this.#looking ??= setTimeout(() => this.#look(), lookEvery).unref()
  }

  /** Closes what was idle for too long; their ends forget them. */
  #look(): void {
    this.#looking = undefined
    const now = clock()
    for (const { connection: { socket }, until } of [...this.#idle.values()].flat()) {
      if (until <= now) socket.destroy()
    }
    if (this.#idle.size > 0) this.#looking = setTimeout(() => this.#look(), lookEvery).unref()
  }

  #forget(key: string, connection: Connection): void {
    const list = this.#idle.get(key)
    const at = list?.findIndex((it) => it.connection === connection) ?? -1
    if (at >= 0) list?.splice(at, 1)
    if (list?.length === 0) this.#idle.delete(key)
  }
}

function drop(this: Socket): void {
  this.destroy()
}
