/**
 * Files as content needs them: exclusive creation, fsync, identity, and bytes that move in two large buffers without
 * a Promise for each. Failures are Node's errors, with their `code`.
 */
import { close, constants, createReadStream, fstat, fsync, ftruncate, open, read, write } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { bufferSize, giveBuffer, sizeFor, takeBuffer } from "./buffers.ts"

/** What tells one state of a file from another. */
export interface FileInfo {
  readonly kind: "file" | "directory" | "link" | "other"
  /** Bytes. */
  readonly size: number
  /** Inode, size and times in nanoseconds. */
  readonly identity: string
  /** Milliseconds since the epoch. */
  readonly modified: number
  /** Nanoseconds since the epoch: the last change of content, name or mode. */
  readonly changed: bigint
}

type Stats = Awaited<ReturnType<typeof lstatBig>>
const lstatBig = (path: string) => fs.lstat(path, { bigint: true })
const statBig = (path: string) => fs.stat(path, { bigint: true })

const infoOf = (stats: Stats): FileInfo => ({
  kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "other",
  size: Number(stats.size),
  identity: `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`,
  modified: Number(stats.mtimeMs),
  changed: stats.ctimeNs
})

/** `undefined` when there is nothing of that name. Links are followed. */
export const info = (path: string): Promise<FileInfo | undefined> => statBig(path).then(infoOf, absent)

/** The same of the name itself. */
export const infoOfName = (path: string): Promise<FileInfo | undefined> => lstatBig(path).then(infoOf, absent)

const absent = (error: unknown): undefined => {
  if (codeOf(error) === "ENOENT") return undefined
  throw error
}

/** Node's code of a failure, such as `ENOSPC`; empty for anything else. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

const toRead = constants.O_RDONLY | constants.O_NONBLOCK // without a wait for the writer of a pipe
const refused = (path: string, code: string) => Object.assign(new Error(code), { code, syscall: "read", path })

/** The whole of a file, refused with code `TOO_LARGE` when it has more than `limit` bytes. */
export const readWhole = async (path: string, limit: number): Promise<Uint8Array> => {
  const file = await fs.open(path, toRead)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw refused(path, stats.isDirectory() ? "EISDIR" : "NOT_PLAIN")
    if (stats.size > limit) throw refused(path, "TOO_LARGE")
    return await file.readFile()
  } finally {
    await file.close()
  }
}

const exclusive = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const resumed = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW

/**
 * A new file that is never seen empty; fails with `EEXIST` when the name is taken, be it by a link. `temporary` is a
 * name of its own in the same directory.
 */
export const createExclusive = async (path: string, temporary: string, content: string): Promise<void> => {
  if ((await infoOfName(path)) !== undefined) throw Object.assign(new Error("file exists"), { code: "EEXIST", path })
  await writeNew(temporary, content)
  try {
    await fs.link(temporary, path).catch((error: unknown) => {
      // Some file systems have no hard links.
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(codeOf(error))) throw error
      return writeNew(path, content)
    })
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

const writeNew = async (path: string, content: string): Promise<void> => {
  const file = await fs.open(path, exclusive, 0o666)
  // A full disk gives the name and none of the content.
  const undo = async (error: unknown) => (await fs.rm(path, { force: true }), Promise.reject(error))
  await file.writeFile(content).catch(undo).finally(() => file.close())
}

/** A new file with this content, synced. */
export const createSynced = async (path: string, content: Uint8Array): Promise<void> => {
  const file = await fs.open(path, exclusive, 0o666)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Puts content at a path at once: readers see the old file or the new one, also after a loss of power. */
export const replace = async (path: string, temporary: string, content: Uint8Array): Promise<void> => {
  try {
    await createSynced(temporary, content)
    await fs.rename(temporary, path)
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw error
  }
}

/** A directory with its parents, present or made; gives the parents of those made. Node's own way hangs below /proc. */
export const makeDirectories = async (path: string): Promise<ReadonlyArray<string>> => {
  const parent = dirname(path)
  try {
    await fs.mkdir(path)
    return [parent]
  } catch (error) {
    const code = codeOf(error)
    if (code === "EEXIST") {
      if ((await fs.stat(path)).isDirectory()) return []
      throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), { code: "ENOTDIR" })
    }
    if (code !== "ENOENT" || parent === path) throw error
    const grown = await makeDirectories(parent)
    await fs.mkdir(path).catch((again: unknown) => {
      if (codeOf(again) !== "EEXIST") throw again
    })
    return [...grown, parent]
  }
}

export const rename = fs.rename

/** Makes the content of a file durable. */
export const syncFile = async (path: string): Promise<void> => {
  const file = await fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the names in a directory durable, where it can be read and its file system knows how. */
export const syncDirectory = async (path: string): Promise<void> => {
  const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
    if (codeOf(error) !== "EACCES") throw error
  })
  if (directory === undefined) return
  try {
    await directory.sync().catch((error: unknown) => {
      if (!["EINVAL", "ENOTSUP", "EISDIR"].includes(codeOf(error))) throw error
    })
  } finally {
    await directory.close()
  }
}

/** Sets the time of modification to now. */
export const touch = (path: string): Promise<void> => {
  const now = new Date()
  return fs.utimes(path, now, now)
}

/** A copy under a new name that shares the extents where the file system can, with the mode of a new file, synced. */
export const clone = async (from: string, to: string): Promise<void> => {
  await fs.copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const file = await fs.open(to, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await file.chmod(0o666 & ~process.umask())
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Files being read. */
let reading = 0

export interface Reading {
  /** Stops; `closed` is called once nothing uses the file any more. */
  readonly stop: (closed: () => void) => void
}

export interface ReadOptions {
  /** First byte, and how many at most. */
  readonly from: number
  readonly length: number
  /** Called with the size of the file before any byte. */
  readonly opened: (size: number) => void
  readonly sink: (view: Uint8Array, release: () => void) => void
  /** Called once, when all was handed over or something failed, with the file closed. */
  readonly done: (error?: unknown) => void
}

/** Reads a file into two buffers in turn; a buffer is filled again when its view was released. */
export const readFile = (path: string, { done, from, length, opened, sink }: ReadOptions): Reading => {
  let descriptor = -1
  let at = from
  let end = from + length
  let views = 0
  let isReading = true
  let isOver = false
  let ending: { readonly error: unknown } | undefined
  let closed: (() => void) | undefined

  const finish = (error?: unknown) => {
    ending ??= { error }
    if (isOver || isReading) return
    isOver = true
    reading--
    const after = (failure: unknown) => {
      closed?.()
      if (closed === undefined) done(ending?.error ?? failure ?? undefined)
    }
    if (descriptor < 0) after(undefined)
    else close(descriptor, after)
  }
  const guarded = (run: () => void): boolean => {
    try {
      run()
      return true
    } catch (error) {
      finish(error)
      return false
    }
  }
  const next = () => {
    if (ending !== undefined || isReading) return
    if (at >= end) return finish()
    if (views >= 2) return
    isReading = true
    const buffer = takeBuffer(sizeFor(reading))
    read(descriptor, buffer, 0, Math.min(buffer.length, end - at), at, (error, count) => {
      isReading = false
      if (error !== null || count === 0 || ending !== undefined) {
        giveBuffer(buffer)
        return finish(error ?? undefined)
      }
      at += count
      views++
      let isReleased = false
      const release = () => {
        if (isReleased) return
        isReleased = true
        views--
        giveBuffer(buffer)
        next()
      }
      if (guarded(() => sink(buffer.subarray(0, count), release))) next()
    })
  }
  reading++
  open(path, toRead, (error, opening) => {
    isReading = error === null
    if (error !== null) return finish(error)
    descriptor = opening
    fstat(descriptor, (failure, stats) => {
      isReading = false
      if (failure !== null || ending !== undefined) return finish(failure ?? undefined)
      if (!stats.isFile()) return finish(refused(path, stats.isDirectory() ? "EISDIR" : "NOT_PLAIN"))
      end = Math.min(end, stats.size)
      if (guarded(() => opened(stats.size))) next()
    })
  })
  return {
    stop: (after) => {
      if (isOver) return after()
      closed = after
      finish()
    }
  }
}

/** What can be read once and forward alone, such as a pipe. Fails as Node does. */
export const readForward = (path: string): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: bufferSize })
/** What comes out of a pipe or device, of which no part can be asked for. */
export const pipedBytes = (path: string): AsyncIterable<Uint8Array> =>
  createReadStream(path, { highWaterMark: 64 * 1024 })

interface Waiting {
  readonly view: Uint8Array
  readonly release: () => void
}

/** Views from this size on are written as they are, smaller ones are gathered. */
const large = 256 * 1024

/** Files being written. */
let writing = 0

/** A file being written: large views go out as they are, small ones are gathered in two buffers. */
export class Writer {
  private readonly descriptor: number
  private at: number
  private inFlight = 0
  private buffers = 0
  private current: Buffer | undefined
  private filled = 0
  private waiting: Array<Waiting> = []
  /** What the first failed write failed with. */
  failure: unknown
  private idle: (() => void) | undefined

  private constructor(descriptor: number, at: number) {
    this.descriptor = descriptor
    this.at = at
    writing++
  }

  /** Creates the file; fails with `EEXIST` when the name is taken, be it by a link. */
  static create(path: string): Promise<Writer> {
    return new Promise((resolve, reject) =>
      open(
        path,
        exclusive,
        0o666,
        (error, descriptor) => error === null ? resolve(new Writer(descriptor, 0)) : reject(error)
      )
    )
  }

  /** Goes on at a byte of a file, which is made if it is not there; what lies behind is cut off. */
  static resume(path: string, at: number): Promise<Writer> {
    return new Promise((resolve, reject) =>
      open(path, resumed, 0o666, (error, descriptor) => {
        if (error !== null) return reject(error)
        ftruncate(descriptor, at, (failure) => {
          if (failure === null) return resolve(new Writer(descriptor, at))
          close(descriptor, () => reject(failure))
        })
      })
    )
  }

  /** Writes from a byte of a file that is there; what lies before and behind stays. */
  static within(path: string, at: number): Promise<Writer> {
    return new Promise((resolve, reject) =>
      open(
        path,
        constants.O_WRONLY | constants.O_NOFOLLOW,
        (error, descriptor) => error === null ? resolve(new Writer(descriptor, at)) : reject(error)
      )
    )
  }

  /** Takes a view; `release` is called when it is no longer needed. Look at `failure` first. */
  write(view: Uint8Array, release: () => void): void {
    this.waiting.push({ view, release })
    this.advance()
  }

  private advance(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const size = sizeFor(writing)
      const isLarge = next.view.length >= Math.min(large, size)
      if (isLarge) this.flush()
      else if (!this.gather(next, size)) return
      this.waiting.shift()
      if (isLarge) this.send(next.view, next.release)
      else next.release()
    }
  }

  /** False when both buffers are on their way. */
  private gather({ view }: Waiting, size: number): boolean {
    if (this.current !== undefined && this.filled + view.length > this.current.length) this.flush()
    if (this.current === undefined) {
      if (this.buffers >= 2) return false
      this.buffers++
      this.current = takeBuffer(size)
    }
    this.current.set(view, this.filled)
    this.filled += view.length
    return true
  }

  private flush(): void {
    const buffer = this.current
    if (buffer === undefined) return
    const length = this.filled
    this.current = undefined
    this.filled = 0
    this.send(buffer.subarray(0, length), () => {
      this.buffers--
      giveBuffer(buffer)
    })
  }

  private send(view: Uint8Array, release: () => void): void {
    const position = this.at
    this.at += view.length
    this.inFlight++
    const step = (from: number): void =>
      write(this.descriptor, view, from, view.length - from, position + from, (error, count) => {
        if (error === null && from + count < view.length) return step(from + count)
        this.inFlight--
        this.failure ??= error ?? undefined
        release()
        this.advance()
        if (this.inFlight === 0) this.idle?.()
      })
    step(0)
  }

  /** All bytes are in the file. */
  async drain(): Promise<void> {
    await this.settle()
    this.flush()
    await this.settle()
    if (this.failure !== undefined) throw this.failure
  }

  /** All bytes are in the file and synced. */
  async end(): Promise<void> {
    await this.drain()
    await new Promise<void>((resolve, reject) =>
      fsync(this.descriptor, (error) => error === null ? resolve() : reject(error))
    )
  }

  /** Waits for writes under way and closes the file. */
  async close(): Promise<void> {
    await this.settle()
    writing--
    await new Promise<void>((resolve, reject) =>
      close(this.descriptor, (error) => error == null ? resolve() : reject(error))
    )
  }

  private settle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.idle = () => {
        this.idle = undefined
        resolve()
      }
    })
  }
}
