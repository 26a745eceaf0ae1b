/** The settings of registries, merged from every source that has some. */
import { Context } from "effect"
import type { Effect } from "effect"
import type { Host } from "../schemas/Host.ts"

export class Hosts extends Context.Service<Hosts, {
  readonly get: (name: string) => Effect.Effect<Host>
  /** The host and its mirrors: where a read may go, by priority, the host last among equals. */
  readonly readOrder: (name: string) => Effect.Effect<ReadonlyArray<Host>>
}>()("regclient/services/Hosts") {}
