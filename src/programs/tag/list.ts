/** `regctl tag ls`: the tags of a repository, those wanted. */
import { Effect, Stream } from "effect"
import { decodeManifest } from "../../schemas/Manifest.ts"
import { mediaTypes } from "../../schemas/MediaType.ts"
import { locationName } from "../../schemas/Ref.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { Page } from "../../services/Repository.ts"
import { openRef } from "../open.ts"
import { checkSkipped } from "../skipped.ts"
import { tagsView } from "../views/tags.ts"
import { tagFilter } from "./filter.ts"

interface Input {
  readonly exclude: ReadonlyArray<string>
  readonly include: ReadonlyArray<string>
  readonly format: string
  readonly last: string
  readonly limit: number
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("tag ls")(function*({ args, exclude, format, include, last, limit }: Input) {
  const isWanted = yield* tagFilter(
    { include, exclude },
    (_, expression, why) => `failed to parse regexp ${JSON.stringify(expression)}: ${why}`
  )
  const { ref, repository } = yield* openRef(args[0])
  // A layout lists all it has (regctl description, 4.12).
  const request = ref.location._tag !== "Registry"
    ? {}
    : { ...(last === "" ? {} : { last }), ...(limit > 0 ? { limit } : {}) }
  const names: Array<string> = []
  let page: Page = { names: [], body: new Uint8Array(), headers: {} }
  yield* Stream.runForEach(repository.tags(request), (it) =>
    Effect.sync(() => {
      page = { ...it, skipped: (page.skipped ?? 0) + (it.skipped ?? 0) }
      for (const name of it.names) if (isWanted(name)) names.push(name)
    }))
  const { body, headers, url } = page
  const name = ref.location._tag === "Registry" ? ref.location.repository : ""
  // A layout answers with its index.
  const index = ref.location._tag === "Registry" ? undefined : yield* Effect.fromResult(
    decodeManifest(body, { mediaType: mediaTypes.ociIndex, name: locationName(ref.location) })
  )
  const view = tagsView({
    name,
    tags: names,
    body,
    headers,
    ...(url === undefined ? {} : { url }),
    ...(index?._tag === "Index" ? { index } : {})
  })
  yield* (yield* Formatter).write(format, view, { named: true })
  yield* checkSkipped(`failed to list tags for ${locationName(ref.location)}`, page)
}, Effect.scoped)
