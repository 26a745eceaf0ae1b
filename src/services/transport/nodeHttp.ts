/** `Transport` that speaks through node:http, loaded with the first request. */
import { Exchange } from "./exchange.ts"
import { transportOf } from "./sending.ts"

export const layer = transportOf(() => ({ begin: (lease, call) => new Exchange(lease, call) }))
