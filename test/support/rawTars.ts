/** Small tar archives with any names, honest or not (POSIX.1-2017, ustar). */

export interface TarFile {
  readonly name: string
  readonly content?: string
  readonly type?: "file" | "link" | "symlink" | "directory"
  readonly linkname?: string
}

const flags = { file: "0", link: "1", symlink: "2", directory: "5" } as const

const header = ({ linkname = "", name, type = "file" }: TarFile, size: number): Buffer => {
  const block = Buffer.alloc(512)
  const put = (text: string, at: number) => void block.write(text, at, "latin1")
  put(name, 0)
  put("0000644\0", 100)
  put("0000000\0", 108)
  put("0000000\0", 116)
  put(`${size.toString(8).padStart(11, "0")}\0`, 124)
  put("00000000000\0", 136)
  put("        ", 148)
  put(flags[type], 156)
  put(linkname, 157)
  put("ustar\u{0}00", 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return block
}

/** An archive of these entries in their order. */
export const tarOf = (files: ReadonlyArray<TarFile>): Uint8Array =>
  Buffer.concat([
    ...files.flatMap((file) => {
      const body = Buffer.from(file.content ?? "")
      return [header(file, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512)]
    }),
    Buffer.alloc(1024)
  ])
