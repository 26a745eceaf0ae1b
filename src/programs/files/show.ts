/** Where a file found in a layer goes: through a template, into a file of the user's, or to stdout. */
import { Effect, Stdio, Stream } from "effect"
import { Struct } from "../../lib/gotemplate/value.ts"
import type { TarHeader } from "../../lib/tar/header.ts"
import { Formatter } from "../../services/Formatter.ts"
import type { TarEntry } from "../../services/tar.ts"
import { openOutput } from "../outputFile.ts"
import { record } from "../views/record.ts"
import { tarHeaderView } from "../views/tarHeader.ts"

/**
 * Takes the entry as it is read, and finishes once its layer was read to the end and found to be what its digest says.
 * To stdout the content goes as it comes.
 */
export const openShow = Effect.fnUntraced(function*(format: string, outFile: string | undefined) {
  const { write } = yield* Formatter
  const stdio = yield* Stdio.Stdio
  if (format !== "") {
    let header: TarHeader | undefined
    return {
      take: (entry: TarEntry) =>
        Effect.sync(() => {
          header = entry.header
        }),
      finish: Effect.suspend(() => header === undefined ? Effect.void : write(format, fileView(header)))
    }
  }
  if (outFile !== undefined) {
    const output = yield* openOutput(outFile)
    return { take: ({ body }: TarEntry) => output.write(body), finish: output.finish }
  }
  return {
    take: ({ body }: TarEntry) => Stream.run(body, stdio.stdout({ endOnDone: false })),
    finish: Effect.void
  }
})

const fileView = (header: TarHeader): Struct =>
  record("struct { Header *tar.Header; Reader io.Reader }", {
    Header: tarHeaderView(header),
    Reader: new Struct("tar.Reader", {}, { isPointer: true })
  })
