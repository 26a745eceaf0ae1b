/** `regctl image export`: an image as a tar file, for `docker load` and for every reader of OCI layouts. */
import { Effect } from "effect"
import { Writer } from "../../lib/files.ts"
import { RefError } from "../../schemas/Ref.ts"
import { compressed } from "../../services/compressed.ts"
import { writeInto } from "../../services/fileBytes.ts"
import { Progress } from "../../services/Progress.ts"
import { collectImage } from "../archive/collect.ts"
import { entriesOf } from "../archive/layout.ts"
import { fillPlace, openOutput } from "../archive/output.ts"
import { events, inOrder, inPlace } from "../archive/write.ts"
import { choosePlatform } from "../graph/select.ts"
import { openRef, readRef } from "../open.ts"

interface Input {
  readonly compress: boolean
  readonly digestTags: boolean
  readonly name: string
  readonly platform: string
  readonly referrers: boolean
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image export")(function*({ args, compress, name, ...choice }: Input) {
  yield* readRef(args[0])
  // The file is there before a registry is asked, and stays, empty, with a bad name (regctl description, 4.6).
  const output = yield* openOutput(args[1] ?? "-")
  const named = name === "" ? undefined : yield* parsedName(name)
  const { report } = yield* Progress

  const image = Effect.gen(function*() {
    const { ref, repository } = yield* openRef(args[0])
    const { manifest } = yield* choosePlatform(repository, ref, choice.platform)
    const own = choice.platform === "" ? ref : { ...ref, digest: manifest.descriptor.digest }
    return { repository, entries: entriesOf(yield* collectImage(repository, manifest, choice), named ?? own) }
  })

  if (output._tag === "Pipe") {
    const { entries, repository } = yield* image
    return yield* report(events(entries, (tell) => {
      const bytes = inOrder(entries, repository, tell)
      return output.write(compress ? compressed(bytes, "gzip") : bytes)
    }))
  }
  yield* fillPlace(
    output,
    Effect.fnUntraced(function*(file) {
      const { entries, repository } = yield* image
      yield* report(events(entries, (tell) =>
        compress
          ? writeInto(output.path, compressed(inOrder(entries, repository, tell), "gzip"), () => Writer.within(file, 0))
          : inPlace({ path: file, shown: output.path }, entries, repository, tell)))
    })
  )
}, Effect.scoped)

const parsedName = (text: string) =>
  Effect.mapError(readRef(text), ({ message }) => new RefError({ message: `cannot parse ${text}: ${message}` }))
