/** Small files of any kind, pipes too, of which the kind or the size may lie: no more is read than is wanted. */
import { createReadStream } from "node:fs"

/** The whole of it; fails with code `TOO_LARGE` once there are more than `limit` bytes. Fails as Node does. */
export const readUpTo = async (path: string, limit: number, signal?: AbortSignal): Promise<Uint8Array> => {
  const parts: Array<Buffer> = []
  let size = 0
  const chunks: AsyncIterable<Buffer> = createReadStream(path, signal === undefined ? {} : { signal })
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit) throw Object.assign(new Error(`more than ${limit} bytes`), { code: "TOO_LARGE", path })
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}
