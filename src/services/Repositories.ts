/** Opens repositories. The only door from a program to stored content. */
import { Context, Effect, Layer } from "effect"
import type { Scope } from "effect"
import { Location } from "../schemas/Ref.ts"
import type { StoreError } from "../schemas/StoreError.ts"
import { Archive } from "./Archive.ts"
import { OciLayout } from "./OciLayout.ts"
import { Registry } from "./Registry.ts"
import type { Repository } from "./Repository.ts"

export class Repositories extends Context.Service<Repositories, {
  /** Closing the scope finishes the writes: a layout is swept. */
  readonly open: (location: Location) => Effect.Effect<Repository, StoreError, Scope.Scope>
}>()("regclient/services/Repositories") {
  static readonly layer = Layer.effect(
    Repositories,
    Effect.gen(function*() {
      const registry = yield* Registry
      const layout = yield* OciLayout
      const archive = yield* Archive
      return Repositories.of({
        open: Location.$match({
          Registry: registry.open,
          OciLayout: layout.open,
          Archive: archive.open
        })
      })
    })
  )
}
