/** `Transport` that speaks HTTP/1.1 by itself, over buffers that are read into again and again. */
import { transportOf } from "./sending.ts"
import { Buffers } from "./wire/buffers.ts"
import { WireExchange } from "./wire/exchange.ts"
import { Reader } from "./wire/reader.ts"

export const layer = transportOf(() => {
  const buffers = new Buffers()
  return {
    reader: () => new Reader(buffers),
    begin: (lease, call) => {
      if (lease.reader === undefined) throw new TypeError("a connection without a reader")
      return new WireExchange(lease, lease.reader, call)
    }
  }
})
