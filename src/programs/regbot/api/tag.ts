/** `tag.ls` and `tag.delete` (regbot description, 7.4). */
import { Effect, Stream } from "effect"
import { type LuaValue, tableOf } from "../../../lib/lua/border.ts"
import { commonName, locationName } from "../../../schemas/Ref.ts"
import { storeError } from "../../../schemas/StoreError.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import { WillWrite } from "../../../services/Registry.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { optionalTable, refArgument } from "./arguments.ts"
import { failed, nothing } from "./failures.ts"
import { debug, infoOfWrite, loggedPage } from "./logged.ts"
import { pageRequest } from "./pages.ts"

/** All pages, or as many names as asked for. Names that no reference can hold were warned of and left out. */
const ls: HostFunction<ScriptRun> = {
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const ref = yield* refArgument(args[0], 1)
    const page = pageRequest(yield* optionalTable(args, 2))
    yield* debug("Listing tags", { repo: commonName(ref), opts: loggedPage(page) })
    const { noteSkipped, open } = yield* ScriptRun
    const pages = yield* open(ref.location).pipe(
      // A layout lists all it has, as for regctl.
      Effect.flatMap(({ tags }) => Stream.runCollect(tags(ref.location._tag === "Registry" ? page : {}))),
      Effect.mapError(failed("Failed retrieving tag list"))
    )
    const operation = `failed to list tags in ${locationName(ref.location)}`
    noteSkipped(operation, { skipped: pages.reduce((sum, { skipped = 0 }) => sum + skipped, 0) })
    return { values: [tableOf(pages.flatMap(({ names }) => names))] }
  })
}

/** The tag alone: others on the manifest stay. */
const remove: HostFunction<ScriptRun> = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const ref = yield* refArgument(value, 1)
    const { close, open } = yield* ScriptRun
    yield* infoOfWrite("Delete tag", { image: commonName(ref) })
    const { tag } = ref
    const removing = tag === undefined
      ? Effect.fail(storeError("", "ReferenceInvalid", "tag missing from image reference"))
      : Effect.flatMap(
        Effect.provideService(open(ref.location), WillWrite, true),
        ({ deleteTag }) => deleteTag(tag)
      )
    yield* Effect.mapError(removing, failed(`Failed deleting "${commonName(ref)}"`))
    yield* close(ref.location)
    return nothing
  })
}

export const tag: Library<ScriptRun> = { functions: { ls, delete: remove } }
