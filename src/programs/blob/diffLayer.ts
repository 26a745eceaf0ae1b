/** `regctl blob diff-layer`: two layers compared entry by entry, contents by their digests. */
import { Effect } from "effect"
import { formatTime } from "../../lib/goTime.ts"
import type { TarHeader } from "../../lib/tar/header.ts"
import { visible } from "../../lib/visibleText.ts"
import type { Bytes } from "../../services/Bytes.ts"
import { decompressed } from "../../services/compressed.ts"
import { measure } from "../../services/spool.ts"
import { readTar } from "../../services/tar.ts"
import { openTwoBlobs } from "../diff/blobs.ts"
import { type DiffInput, printDiff } from "../diff/hunks.ts"

interface Input extends DiffInput {
  readonly ignoreTimestamp: boolean
}

export const run = Effect.fn("blob diff-layer")(function*(input: Input) {
  const [a, b] = yield* Effect.forEach(yield* openTwoBlobs(input.args), (layer) => report(layer, input))
  yield* printDiff(a ?? [], b ?? [], input)
}, Effect.scoped)

/** One line for each entry (command description, 4.2). */
const report = Effect.fnUntraced(function*(layer: Bytes, { ignoreTimestamp }: Input) {
  const lines: Array<string> = []
  yield* readTar(decompressed(layer), ({ content, header, size }) => {
    const line = [
      modeText(header.mode),
      `${header.uid}/${header.gid}`,
      String(size).padStart(8),
      ...(ignoreTimestamp ? [] : [timeText(header)]),
      visible(header.name).padEnd(40)
    ].join(" ")
    if (size === 0) return Effect.sync(() => void lines.push(line))
    return Effect.map(measure(content, "sha256"), ({ digest }) => void lines.push(`${line} ${digest}`))
  })
  return lines
})

const timeText = ({ mtime }: TarHeader): string =>
  formatTime({ nanos: mtime, offset: 0, zone: "UTC" }, "2006-01-02T15:04:05Z07:00")

/** The low nine bits, as `-rwxr-xr-x`. */
const modeText = (mode: number): string =>
  `-${[..."rwxrwxrwx"].map((letter, at) => (mode & (0o400 >> at)) === 0 ? "-" : letter).join("")}`
