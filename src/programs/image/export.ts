/** `regctl image export`: an image as a tar file, for `docker load` and for every reader of OCI layouts. */
import { Effect } from "effect"
import { Writer } from "../../lib/files.ts"
import { type Ref, RefError } from "../../schemas/Ref.ts"
import { compressed } from "../../services/compressed.ts"
import { writeInto } from "../../services/fileBytes.ts"
import { Progress } from "../../services/Progress.ts"
import { Repositories } from "../../services/Repositories.ts"
import { collectImage } from "../archive/collect.ts"
import { entriesOf } from "../archive/layout.ts"
import { fillPlace, openOutput, type Pipe, type Place } from "../archive/output.ts"
import { events, inOrder, inPlace } from "../archive/write.ts"
import { choosePlatform } from "../graph/select.ts"
import { readRef } from "../open.ts"

export interface ExportChoice {
  readonly compress: boolean
  readonly digestTags: boolean
  /** What the image is called in the tar, when not as its source. */
  readonly name?: Ref
  readonly platform: string
  readonly referrers: boolean
}

interface Input extends Omit<ExportChoice, "name"> {
  readonly name: string
  readonly args: ReadonlyArray<string>
}

export const run = Effect.fn("image export")(function*({ args, name, ...choice }: Input) {
  const source = yield* readRef(args[0])
  // A file that cannot be is told before a registry is asked (regctl description, 4.6).
  const output = yield* openOutput(args[1] ?? "-")
  const named = name === "" ? undefined : yield* parsedName(name)
  yield* exportImage(source, output, named === undefined ? choice : { ...choice, name: named })
})

/** Writes an image into an output that is open. Fails as its repository or the output does; a file then is what it was. */
export const exportImage = Effect.fn("exportImage")(
  function*(source: Ref, output: Pipe | Place, { compress, name, ...choice }: ExportChoice) {
    const { report } = yield* Progress
    const image = Effect.gen(function*() {
      const repository = yield* (yield* Repositories).open(source.location)
      const { manifest } = yield* choosePlatform(repository, source, choice.platform)
      const own = choice.platform === "" ? source : { ...source, digest: manifest.descriptor.digest }
      return { repository, entries: entriesOf(yield* collectImage(repository, manifest, choice), name ?? own) }
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
            ? writeInto(
              output.path,
              compressed(inOrder(entries, repository, tell), "gzip"),
              () => Writer.within(file, 0)
            )
            : inPlace({ path: file, shown: output.path }, entries, repository, tell)))
      })
    )
  },
  Effect.scoped
)

const parsedName = (text: string) =>
  Effect.mapError(readRef(text), ({ message }) => new RefError({ message: `cannot parse ${text}: ${message}` }))
