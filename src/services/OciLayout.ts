/** Repositories in directories that follow the OCI image layout (image-spec, image-layout.md). */
import { Context } from "effect"
import type { Effect, Scope } from "effect"
import type { StoreError } from "../schemas/StoreError.ts"
import type { Repository } from "./Repository.ts"

export class OciLayout extends Context.Service<OciLayout, {
  /** Closing the scope removes what no entry reaches any more, if something was written. */
  readonly open: (at: { readonly path: string }) => Effect.Effect<Repository, StoreError, Scope.Scope>
}>()("regclient/services/OciLayout") {}
