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
    let view: Struct | undefined
    return {
      take: ({ header, size }: TarEntry) =>
        Effect.sync(() => {
          view = fileView(header, size)
        }),
      finish: Effect.suspend(() => write(format, view))
    }
  }
  if (outFile !== undefined) {
    const output = yield* openOutput(outFile)
    return { take: ({ content }: TarEntry) => output.write(content), finish: output.finish }
  }
  return {
    take: ({ content }: TarEntry) => Stream.run(content, stdio.stdout({ endOnDone: false })),
    finish: Effect.void
  }
})

const fileView = (header: TarHeader, size: number): Struct =>
  record("struct { Header *tar.Header; Reader io.Reader }", {
    Header: tarHeaderView(header, size),
    Reader: new Struct("tar.Reader", {}, { isPointer: true })
  })
