/** `repo.ls(host [, opts])` (regbot description, 7.3). */
import { Effect, Option, Stream } from "effect"
import { type LuaValue, tableOf } from "../../../lib/lua/border.ts"
import { parseHost } from "../../../schemas/Ref.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import { Registry } from "../../../services/Registry.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { optionalTable, wrongArgument } from "./arguments.ts"
import { failed } from "./failures.ts"
import { debug, loggedPage } from "./logged.ts"
import { pageRequest } from "./pages.ts"

const what = "Failed retrieving repo list"

/** One page of the catalog. */
const ls: HostFunction<ScriptRun | Registry> = {
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const [host] = args
    if (typeof host !== "string") {
      return yield* Effect.fail(wrongArgument(1, "Expected registry name (host and optional port)"))
    }
    const page = pageRequest(yield* optionalTable(args, 2))
    yield* debug("Listing repositories", { host, opts: loggedPage(page) })
    const registry = yield* Effect.mapError(
      Effect.fromResult(parseHost(host)),
      () => ({ message: `${what}: invalid hostname: ${host}` })
    )
    const { list } = yield* Registry
    const { noteSkipped } = yield* ScriptRun
    const found = yield* Effect.mapError(Stream.runHead(list(registry, page)), failed(what))
    if (Option.isNone(found)) return { values: [tableOf([])] }
    noteSkipped(`failed to list repositories for ${host}`, found.value)
    return { values: [tableOf(found.value.names)] }
  })
}

export const repo: Library<ScriptRun | Registry> = { functions: { ls } }
