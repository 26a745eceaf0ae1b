/**
 * Brings all tags of one repository up to date in another, as a mirror does: lists the source's tags, and copies each,
 * of which one that is current costs two HEADs. `checkTags SOURCE TARGET [AT_ONCE]`; prints how many there were.
 */
import { Effect, Result, Stream } from "effect"
import { live } from "../src/layers/Live.ts"
import { copy } from "../src/programs/copy/copy.ts"
import { isTag, parseRef, type Tag } from "../src/schemas/Ref.ts"
import { Repositories } from "../src/services/Repositories.ts"

const [from = "", to = "", atOnce = "12"] = process.argv.slice(2)

const options = {
  fastCheck: false,
  forceRecursive: false,
  includeExternal: false,
  referrers: false,
  digestTags: false,
  platforms: []
}

const checkTags = Effect.gen(function*() {
  const source = Result.getOrThrow(parseRef(from))
  const target = Result.getOrThrow(parseRef(to))
  const { tags } = yield* (yield* Repositories).open(source.location)
  const check = (tag: Tag) => copy({ ...source, tag }, { ...target, tag }, options)
  return yield* tags().pipe(
    Stream.flatMap(({ names }) => Stream.fromIterable(names.filter((name) => isTag(name)))),
    Stream.mapEffect(check, { concurrency: Number(atOnce), unordered: true }),
    Stream.runCount
  )
})

const count = await Effect.runPromise(checkTags.pipe(Effect.scoped, Effect.provide(live)))
process.stdout.write(`${count}\n`, () => process.exit())
