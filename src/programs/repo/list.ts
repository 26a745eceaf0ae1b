/** `regctl repo ls`: one page of a registry's catalog. */
import { Effect, Option, Stream } from "effect"
import { parseHost } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { Formatter } from "../../services/Formatter.ts"
import { Registry } from "../../services/Registry.ts"
import type { Page } from "../../services/Repository.ts"
import { checkSkipped } from "../skipped.ts"
import { repositoriesView } from "../views/repositories.ts"

interface Input {
  readonly format: string
  readonly last: string
  readonly limit: number
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("repo ls")(function*({ args, format, last, limit }: Input) {
  const [name = ""] = args
  if (name.includes("/")) {
    yield* Effect.annotateLogs(Effect.logError("Hostname invalid"), { host: name })
    return yield* new UsageError({ message: "invalid input" })
  }
  const registry = yield* Effect.fromResult(parseHost(name))
  const { list } = yield* Registry
  const request = { ...(last === "" ? {} : { last }), ...(limit > 0 ? { limit } : {}) }
  const page = yield* Stream.runHead(list(registry, request))
  const found: Page = Option.getOrElse(page, () => ({ names: [], body: new Uint8Array(), headers: {} }))
  const { body, headers, names } = found
  yield* (yield* Formatter).write(format, repositoriesView({ repositories: names, body, headers }), { named: true })
  yield* checkSkipped(`failed to list repositories for ${registry}`, found)
})
