/** Dry runs over places that must not be written, and what they would have written. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import type { Location } from "../../src/schemas/Ref.ts"
import { Journal, type Write } from "../../src/services/Journal.ts"
import type { Repositories } from "../../src/services/Repositories.ts"
import type { Repository } from "../../src/services/Repository.ts"
import { dryRepositories } from "../../src/services/repository/dryRun.ts"

/** The same places; a write is a bug. */
export const unwritten = (repository: Repository): Repository => {
  const refused = (operation: string) => () => Effect.die(new Error(`${operation} reached the real repository`))
  return {
    ...repository,
    putBlob: refused("putBlob"),
    mountBlob: refused("mountBlob"),
    putManifest: refused("putManifest"),
    deleteBlob: refused("deleteBlob"),
    deleteManifest: refused("deleteManifest"),
    deleteTag: refused("deleteTag")
  }
}

/** A dry run over places opened by `open`; with services of Node for its temporary files. */
export const dryOver = (open: Repositories["Service"]["open"]) =>
  Effect.provide(
    dryRepositories({ open: (location: Location) => Effect.map(open(location), unwritten) }),
    NodeServices.layer
  )

/** Runs with a journal: what would have been written, in order. */
export const journaled = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
  const writes: Array<Write> = []
  const record = (write: Write) => Effect.sync(() => void writes.push(write))
  return Effect.map(Effect.provideService(effect, Journal, { record }), (result) => ({ result, writes }))
}
