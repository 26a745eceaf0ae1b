/**
 * Asks for the digests of tags v0, v1, … of repositories, one repository after the other: `headTags AT_ONCE COUNT
 * REPOSITORY...`; prints the seconds that each repository took. What the client can do, without a tool around it.
 */
import { Effect, Result } from "effect"
import { live } from "../src/layers/Live.ts"
import { parseRef, Reference, Tag } from "../src/schemas/Ref.ts"
import { Repositories } from "../src/services/Repositories.ts"

const [atOnce = "8", count = "2000", ...names] = process.argv.slice(2)
const numbers = Array.from({ length: Number(count) }, (_, at) => at)

const headTags = (name: string) =>
  Effect.gen(function*() {
    const { location } = Result.getOrThrow(parseRef(name))
    const { resolve } = yield* (yield* Repositories).open(location)
    const head = (at: number) => resolve(Reference.ByTag({ tag: Tag.make(`v${at}`) }))
    const start = performance.now()
    yield* Effect.forEach(numbers, head, { concurrency: Number(atOnce), discard: true })
    return (performance.now() - start) / 1000
  })

const seconds = await Effect.runPromise(
  Effect.forEach(names, headTags).pipe(Effect.scoped, Effect.provide(live))
)
process.stdout.write(`${seconds.join(" ")}\n`, () => process.exit())
