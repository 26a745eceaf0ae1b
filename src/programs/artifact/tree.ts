/** `regctl artifact tree`: a manifest, its children and its referrers; what was found before a failure is shown too. */
import { Effect } from "effect"
import { Formatter } from "../../services/Formatter.ts"
import { type ReferrerFlags, wantedOf } from "../graph/referrers.ts"
import { walkTree } from "../graph/tree.ts"
import { openRef } from "../open.ts"
import { treeView } from "../views/tree.ts"

interface Input extends ReferrerFlags {
  readonly digestTags: boolean
  readonly external: string
  readonly format: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("artifact tree")(function*(input: Input) {
  const { digestTags, external, format } = input
  const wanted = yield* wantedOf(input)
  const root = yield* openRef(input.args[0])
  const options = { wanted, digestTags, ...(external === "" ? {} : { external: yield* openRef(external) }) }
  const { failure, node } = yield* walkTree(root, options)
  if (node !== undefined) yield* (yield* Formatter).write(format, treeView(node))
  if (failure !== undefined) return yield* failure
}, Effect.scoped)
