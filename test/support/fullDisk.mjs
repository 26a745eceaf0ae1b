/**
 * Loaded into a tool before it starts (`--import`): from a call on, a directory has no room any more, as on a full disk.
 * That call writes half of what it was given. What was asked of the directory goes to a file, one call a line.
 */
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { basename, dirname, sep } from "node:path"

const { dir, log, only, when, ...given } = JSON.parse(process.env.FULL_DISK ?? "{}")
const { appendFileSync, existsSync, realpathSync } = fs

/** Files below the directory that are open, by descriptor. */
const opened = new Map()
let calls = 0
let after = given.after ?? Infinity

const isInside = (path) => {
  if (typeof path !== "string") return false
  try {
    return `${realpathSync.native(dirname(path))}${sep}`.startsWith(`${dir}${sep}`)
  } catch {
    return false
  }
}

const failure = (call, path) =>
  Object.assign(new Error(`ENOSPC: no space left on device, ${call} '${path}'`), {
    code: "ENOSPC",
    errno: -28,
    syscall: call,
    path
  })

/** What this call finds: room, the last of it, or none. */
const found = (call, path) => {
  const at = calls++
  const line = `${call} ${basename(path).replaceAll(/[0-9a-f]{12,}[0-9a-f-]*/g, "X")}`
  if (log !== undefined) appendFileSync(log, `${at} ${line}\n`)
  if (line === when && after === Infinity) after = at
  return at < after || (only && at > after) ? "room" : at === after ? "last" : "none"
}

const creates = (flags) => typeof flags === "string" ? /[wa]/.test(flags) : (flags & fs.constants.O_CREAT) !== 0

/** Where a call needs room, by its arguments. */
const places = {
  // One that is there needs no more room.
  mkdir: ([path]) => existsSync(path) ? undefined : path,
  mkdtemp: ([prefix]) => prefix,
  copyFile: ([, to]) => to,
  link: ([, to]) => to,
  rename: ([, to]) => to,
  symlink: ([, path]) => path,
  writeFile: ([path]) => path,
  // To read needs none; an fsync of what was opened so may.
  open: ([path]) => path
}
for (const [name, place] of Object.entries(places)) {
  const [plain, promised] = [fs[name], fs.promises[name]]
  fs[name] = (...args) => {
    const path = place(args)
    const told = args.at(-1)
    if (!isInside(path)) return plain(...args)
    const isFree = name === "open" && !creates(args[1])
    if (!isFree && found(name, path) !== "room") return void setImmediate(() => told(failure(name, path)))
    if (name !== "open") return plain(...args)
    return plain(...args.slice(0, -1), (error, fd) => {
      if (error === null) opened.set(fd, path)
      told(error, fd)
    })
  }
  fs.promises[name] = async (...args) => {
    const path = place(args)
    if (!isInside(path)) return promised(...args)
    const isFree = name === "open" && !creates(args[1])
    if (!isFree && found(name, path) !== "room") throw failure(name, path)
    const handle = await promised(...args)
    return name === "open" ? limited(handle, path) : handle
  }
}

/** A file of the promised kind, whose content and whose fsync need room. */
const limited = (handle, path) => {
  const { sync, writeFile } = handle
  handle.writeFile = async (content) => {
    const room = found("write", path)
    const bytes = Buffer.from(content)
    if (room !== "none") await writeFile.call(handle, room === "room" ? bytes : bytes.subarray(0, bytes.length / 2))
    if (room !== "room") throw failure("write", path)
  }
  handle.sync = async () => {
    if (found("fsync", path) !== "room") throw failure("fsync", path)
    return sync.call(handle)
  }
  return handle
}

const { close, fsync, write } = fs
fs.close = (fd, ...rest) => {
  opened.delete(fd)
  return close(fd, ...rest)
}
fs.fsync = (fd, told) => {
  const path = opened.get(fd)
  if (path !== undefined && found("fsync", path) !== "room") {
    return void setImmediate(() => told(failure("fsync", path)))
  }
  return fsync(fd, told)
}
fs.write = (fd, view, ...rest) => {
  const path = opened.get(fd)
  const told = rest.at(-1)
  const room = path === undefined ? "room" : found("write", path)
  if (room === "none") return void setImmediate(() => told(failure("write", path)))
  if (room === "room" || view.length < 2) {
    return room === "room" ? write(fd, view, ...rest) : void setImmediate(() => told(failure("write", path)))
  }
  const [offset, length, position] = rest.length > 1 ? rest : [0, view.length, null]
  const half = Math.floor((length ?? view.length - (offset ?? 0)) / 2)
  return write(fd, view, offset ?? 0, half, position, (error) => told(error ?? failure("write", path), 0, view))
}
syncBuiltinESMExports()
