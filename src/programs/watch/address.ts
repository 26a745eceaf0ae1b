/** Where the status server listens, and which names a client on this machine may call it by. */
import { Effect } from "effect"
import { isLoopback } from "../../lib/address.ts"
import { ServeError } from "../serve/Listener.ts"

export interface Address {
  readonly host: string
  readonly port: number
  /** Only this machine reaches it. */
  readonly isLocal: boolean
}

/** `host:port`, `[::1]:port`, or a port alone, which is one of this machine only. */
export const parseListen = (text: string): Effect.Effect<Address, ServeError> => {
  const parts = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):)?(\d{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  if (parts === null || port > 65_535) {
    return Effect.fail(new ServeError({ message: `invalid address to listen on "${text}", expected host:port` }))
  }
  const host = parts[1] || parts[2] || "127.0.0.1"
  return Effect.succeed({ host, port, isLocal: isOwn(host) })
}

/**
 * Whether a `Host` header names this machine by a name that no name server can give to a stranger: a page of another
 * site whose name was turned to the loopback address comes under that site's name.
 */
export const isOwnHost = (header: string | undefined): boolean => {
  const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header ?? "")
  return name !== null && isOwn(name[1] ?? name[2] ?? "")
}

const isOwn = (host: string): boolean => /^localhost\.?$/i.test(host) || isLoopback(host)
