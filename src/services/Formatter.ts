/** Writes values by `--format` templates, piece by piece, to stdout. */
import { Context, Data } from "effect"
import type { Effect } from "effect"

export class TemplateError extends Data.TaggedError("TemplateError")<{ readonly message: string }> {}

export class Formatter extends Context.Service<Formatter, {
  /**
   * Renders `view` by a Go template. What was written before an error stays written. `raw`, `raw-body`, `rawBody`,
   * `body`, `raw-headers`, `rawHeaders` and `headers` are templates of their own when `named` is set.
   */
  readonly write: (
    template: string,
    view: unknown,
    options?: { readonly named?: boolean }
  ) => Effect.Effect<void, TemplateError>
}>()("regclient/services/Formatter") {}
