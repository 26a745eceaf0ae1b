/** Buffers for files on their way: large ones, used again; small ones while many files are open at once. */

/** Bytes of a large buffer; two are in use for each file that is read or written. */
export const bufferSize = 1024 * 1024
const smallSize = 64 * 1024

/** How many files may have large ones: a thousand slow readers or writers must not hold gigabytes. */
const largeFor = 16

const spare: Array<Buffer> = []

/** Bytes of the buffers that files get while so many are open. */
export const sizeFor = (files: number): number => (files > largeFor ? smallSize : bufferSize)

export const takeBuffer = (size: number): Buffer =>
  (size === bufferSize ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(size)

/** Takes a buffer back that nobody looks at any more. */
export const giveBuffer = (buffer: Buffer): void => {
  if (spare.length < 8 && buffer.length === bufferSize) spare.push(buffer)
}
