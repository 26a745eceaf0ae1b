/**
 * A TCP proxy that is as slow as a network: `node bench/slowLink.ts --to HOST:PORT [--rtt MS] [--rate BYTES]
 * [--window BYTES]`; prints the port it listens on. Bytes arrive half a round trip after they were sent, and no faster
 * than the rate of their connection; the first ones wait a round trip longer, as for a handshake.
 */
import { connect, createServer, type Server, type Socket } from "node:net"
import { parseArgs } from "node:util"

export interface LinkOptions {
  readonly host: string
  readonly port: number
  /** Milliseconds of a round trip; 0: none. */
  readonly rtt: number
  /** Bytes a second of each connection and direction; 0: without limit. */
  readonly rate: number
  /** Bytes that may be on their way in one direction of a connection. */
  readonly window: number
}

interface Piece {
  /** Nothing: the sender has ended. */
  readonly bytes: Buffer | undefined
  readonly due: number
}

/** Carries what comes out of one socket into another, late. */
const carry = (from: Socket, into: Socket, { rate, rtt, window }: LinkOptions, opened: number) => {
  const queue: Array<Piece> = []
  let [inFlight, free, isBlocked] = [0, opened, false]
  let timer: NodeJS.Timeout | undefined

  const deliver = () => {
    timer = undefined
    const now = performance.now()
    while (queue[0] !== undefined && queue[0].due <= now && !isBlocked) {
      const { bytes } = queue.shift() ?? {}
      if (bytes === undefined) into.end()
      else {
        inFlight -= bytes.length
        isBlocked = !into.write(bytes)
      }
    }
    if (inFlight < window) from.resume()
    const [first] = queue
    if (first !== undefined && !isBlocked) timer = setTimeout(deliver, Math.max(0, first.due - performance.now()))
  }

  const accept = (bytes: Buffer | undefined) => {
    const size = bytes?.length ?? 0
    free = Math.max(free, performance.now()) + (rate > 0 ? size / rate * 1000 : 0)
    queue.push({ bytes, due: free + rtt / 2 })
    inFlight += size
    if (inFlight >= window) from.pause()
    if (timer === undefined && !isBlocked) deliver()
  }

  from.on("data", accept)
  from.once("end", () => accept(undefined))
  into.on("drain", () => {
    isBlocked = false
    if (timer === undefined) deliver()
  })
  const drop = () => {
    clearTimeout(timer)
    queue.length = 0
    isBlocked = true
    into.destroy()
  }
  // What was sent before a socket ended in good order still has to arrive; a broken one breaks the other at once.
  from.once("error", drop)
  into.once("close", (hadError) => {
    clearTimeout(timer)
    isBlocked = true
    if (hadError) from.destroy()
  })
}

/** Listens on a free port of loopback. */
export const slowLink = (options: LinkOptions): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = connect({ host: options.host, port: options.port, allowHalfOpen: true, noDelay: true })
      const now = performance.now()
      carry(near, far, options, now + options.rtt)
      carry(far, near, options, now)
    })
    server.listen(0, "127.0.0.1", () => resolve(server))
  })

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      to: { type: "string" },
      rtt: { type: "string", default: "0" },
      rate: { type: "string", default: "0" },
      window: { type: "string", default: String(4 * 1024 * 1024) }
    }
  })
  const { hostname, port } = new URL(`http://${values.to}`)
  const server = await slowLink({
    host: hostname,
    port: Number(port),
    rtt: Number(values.rtt),
    rate: Number(values.rate),
    window: Number(values.window)
  })
  const address = server.address()
  process.stdout.write(`${typeof address === "object" ? address?.port : ""}\n`)
}
