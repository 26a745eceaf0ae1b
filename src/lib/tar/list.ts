/** The entries of a tar file, found by reading its headers alone: bodies are jumped over, however large they are. */
import { open } from "node:fs/promises"
import { blockSize, padded, TarProblem } from "./header.ts"
import { TarScanner } from "./scan.ts"

export interface ListedEntry {
  /** As written: nothing in it can be trusted. */
  readonly name: string
  readonly linkname: string
  readonly type: string
  /** Where the body is, in bytes from the start of the file. */
  readonly offset: number
  readonly size: number
}

/** Bytes read at once: headers of small entries come together. */
const windowSize = 64 * 1024
/** Characters of all names together. */
const maxNames = 64 * 1024 * 1024

/** Calls `seen` for each entry in order. Fails with a `TarProblem` for what is no whole archive, else as files do. */
export const listTar = async (
  path: string,
  seen: (entry: ListedEntry) => void,
  signal: AbortSignal
): Promise<void> => {
  const file = await open(path, "r")
  try {
    const { size } = await file.stat()
    const buffer = Buffer.allocUnsafe(windowSize)
    const scanner = new TarScanner()
    let [start, end, names] = [0, 0, 0]

    const bytesAt = async (at: number, length: number): Promise<Uint8Array> => {
      if (at + length > size) throw new TarProblem("it ends in the middle")
      if (length > windowSize) {
        const large = Buffer.alloc(length)
        const { bytesRead } = await file.read(large, 0, length, at)
        if (bytesRead < length) throw new TarProblem("it ends in the middle")
        return large
      }
      if (at < start || at + length > end) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(windowSize, size - at), at)
        if (bytesRead < length) throw new TarProblem("it ends in the middle")
        ;[start, end] = [at, at + bytesRead]
      }
      return buffer.subarray(at - start, at - start + length)
    }

    for (let at = 0;;) {
      signal.throwIfAborted()
      if (at >= size && scanner.isBetween) return
      const found = scanner.block(await bytesAt(at, blockSize))
      at += blockSize
      if (found._tag === "End") return
      if (found._tag === "More") continue
      if (found._tag === "Extension") {
        scanner.take(await bytesAt(at, found.size))
        at += found.size
        continue
      }
      const { linkname, name, size: length, type } = found.header
      if (at + length > size) throw new TarProblem("it ends in the middle of an entry")
      names += name.length + linkname.length
      if (names > maxNames) throw new TarProblem("the names of its entries are too long")
      seen({ name, linkname, type: found.sparse === undefined ? type : "S", offset: at, size: length })
      at += padded(length)
    }
  } finally {
    await file.close()
  }
}
