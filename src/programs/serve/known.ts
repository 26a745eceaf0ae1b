/** The repository a request reads, which must exist. */
import { Effect, Option } from "effect"
import { ServeStore } from "../../services/ServeStore.ts"
import { fromStore, refusal } from "./failures.ts"

/** Fails with `NAME_UNKNOWN` when nothing was ever put there. */
export const existing = (name: string) =>
  Effect.gen(function*() {
    const store = yield* ServeStore
    const found = yield* Effect.mapError(store.find(name), fromStore("NAME_UNKNOWN"))
    if (Option.isNone(found)) return yield* Effect.fail(refusal(404, "NAME_UNKNOWN", "repository name not known"))
    return found.value
  })
