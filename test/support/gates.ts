/** A way to a server that counts what passes, and shuts at one byte or request of it. */
import { connect, createServer, type Socket } from "node:net"

export interface Gate {
  /** host:port */
  readonly host: string
  /** Shuts once so many bytes passed, in both directions together, or before the request of this number. */
  readonly shutAt: (moment: { readonly bytes?: number; readonly request?: number }, told: () => void) => void
  /** Lets everything pass again, and forgets what passed. */
  readonly open: () => void
  /** Method and target of the requests that passed. */
  readonly lines: () => ReadonlyArray<string>
  readonly bytes: () => number
  readonly stop: () => Promise<void>
}

const requestLine = /(?:^|\n)(GET|HEAD|PUT|PATCH|POST|DELETE) (\S+) HTTP\/1\.1\r\n/g

/** A gate before `host:port`. */
export const gate = async (to: string): Promise<Gate> => {
  const [name = "", port] = to.split(":")
  const sockets = new Set<Socket>()
  let lines: Array<string> = []
  let passed = 0
  let limit: { readonly bytes: number; readonly request: number } = { bytes: Infinity, request: Infinity }
  let isShut = false
  let tell = () => {}
  const shut = () => {
    isShut = true
    tell()
  }
  /** What of a part may pass. */
  const allowed = (part: Buffer, isRequest: boolean): Buffer => {
    if (isShut) return part.subarray(0, 0)
    for (const found of isRequest ? part.toString("latin1").matchAll(requestLine) : []) {
      if (lines.length >= limit.request) {
        shut()
        return part.subarray(0, found.index)
      }
      lines.push(`${found[1]} ${found[2]}`)
    }
    const rest = Math.max(limit.bytes - passed, 0)
    passed += part.length
    if (part.length < rest) return part
    shut()
    return part.subarray(0, rest)
  }
  const link = (from: Socket, into: Socket, isRequest: boolean) => {
    sockets.add(from)
    from.on("data", (part: Buffer) => {
      if (from.destroyed) return
      const given = allowed(part, isRequest)
      if (isShut) return void into.end(given)
      if (into.write(given)) return
      from.pause()
      into.once("drain", () => from.resume())
    })
    from.on("end", () => into.end())
    // Whoever is killed leaves the other side alone.
    from.on("error", () => into.destroy())
    from.on("close", () => (sockets.delete(from), into.end()))
  }
  const server = createServer((client) => {
    if (isShut) return void client.destroy()
    const upstream = connect(Number(port), name)
    link(client, upstream, true)
    link(upstream, client, false)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    shutAt: ({ bytes = Infinity, request = Infinity }, told) => {
      limit = { bytes, request }
      tell = told
    },
    open: () => {
      // What one who is gone still had to say is not heard any more.
      for (const socket of sockets) socket.destroy()
      ;[isShut, limit, tell, lines, passed] = [false, { bytes: Infinity, request: Infinity }, () => {}, [], 0]
    },
    lines: () => lines,
    bytes: () => passed,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  }
}
