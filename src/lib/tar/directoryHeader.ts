/** Headers of directories whose names have no slash at their end, as Go's tools write them. */
import { blockSize } from "./header.ts"
import { type NewEntry, newHeader } from "./pack.ts"

/** The blocks of the header; it has no body. */
export const directoryHeader = async (entry: Omit<NewEntry, "type" | "size">): Promise<Uint8Array> => {
  // The package would add the slash: it makes the header of a file, which then becomes that of a directory.
  const blocks = new Uint8Array(await newHeader({ ...entry, type: "file", size: 0 }))
  const own = blocks.subarray(blocks.length - blockSize)
  own[156] = "5".charCodeAt(0)
  own.fill(0x20, 148, 156)
  const sum = own.reduce((total, byte) => total + byte, 0)
  own.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148)
  return blocks
}
