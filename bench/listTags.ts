/** Lists the tags of a repository over and over: `listTags REPOSITORY TIMES`. What a script does, without Lua. */
import { Effect, Result, Stream } from "effect"
import { live } from "../src/layers/Live.ts"
import { parseRef } from "../src/schemas/Ref.ts"
import { Repositories } from "../src/services/Repositories.ts"

const [from = "", times = "1000"] = process.argv.slice(2)

const listTags = Effect.gen(function*() {
  const { location } = Result.getOrThrow(parseRef(from))
  const { tags } = yield* (yield* Repositories).open(location)
  let count = 0
  for (let time = 0; time < Number(times); time++) {
    yield* Stream.runForEach(tags(), ({ names }) => Effect.sync(() => void (count += names.length)))
  }
  return count
})

const count = await Effect.runPromise(listTags.pipe(Effect.scoped, Effect.provide(live)))
process.stdout.write(`${count}\n`, () => process.exit())
