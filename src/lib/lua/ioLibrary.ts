/**
 * The library `io` of Lua 5.1, synchronous. `popen` runs its command to the end: for reading when it is opened, for
 * writing when it is closed. Files that a script leaves open are closed with its state.
 */
import { randomUUID } from "node:crypto"
import { unlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { badArgument, pushLetters, pushLibrary, pushText, textOf, textOr } from "./arguments.ts"
import { runCommand } from "./command.ts"
import { bytesOf, integerAt, integerOr, lauxlib, lua, type LuaFunction, type LuaState } from "./fengari.ts"
import {
  type Channel,
  commandInput,
  commandOutput,
  isMode,
  openFile,
  standardInput,
  standardOutput
} from "./fileChannel.ts"
import { raise } from "./guard.ts"
import { OpenedFile } from "./openedFile.ts"
import type { Surroundings } from "./surroundings.ts"
import { attempt, isSystemError, systemErrorOf } from "./systemError.ts"

/** Sets the global `io`; nothing in a sandbox. */
export const openIo = (L: LuaState, surroundings: Surroundings): void => {
  if (surroundings.isSandboxed) return
  const files = new Files(surroundings)
  files.makeMetatable(L)
  pushLibrary(L, "io", files.functions())
  files.setStandard(L)
  lua.lua_pop(L, 1)
}

const kind = bytesOf("FILE*")
type Role = "input" | "output"

/** The files of one state. */
class Files {
  /** Of a userdata that is a file; a script cannot make one. */
  private readonly opened = new WeakMap<object, OpenedFile>()
  private readonly surroundings: Surroundings
  /** Keys of the registry, where the two default files are kept. */
  private readonly roles = { input: {}, output: {} }

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings
  }

  makeMetatable(L: LuaState): void {
    lauxlib.luaL_newmetatable(L, kind)
    lauxlib.luaL_setfuncs(L, { ...this.methods(), __tostring: this.text }, 0)
    lua.lua_pushvalue(L, -1)
    lua.lua_setfield(L, -2, bytesOf("__index"))
    lua.lua_pop(L, 1)
  }

  /** Into the table on top of the stack. */
  setStandard(L: LuaState): void {
    const standard = [
      ["stdin", standardInput(this.surroundings), "input"],
      ["stdout", standardOutput(this.surroundings, "stdout"), "output"],
      ["stderr", standardOutput(this.surroundings, "stderr"), undefined]
    ] as const
    for (const [name, channel, role] of standard) {
      this.push(L, channel, true)
      if (role !== undefined) {
        lua.lua_pushvalue(L, -1)
        lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, this.roles[role])
      }
      lua.lua_setfield(L, -2, bytesOf(name))
    }
  }

  private push(L: LuaState, channel: Channel, isStandard = false): number {
    const file = new OpenedFile(channel, this.surroundings.guard, isStandard)
    this.opened.set(lua.lua_newuserdata(L), file)
    lauxlib.luaL_setmetatable(L, kind)
    if (!isStandard) this.surroundings.releases?.add(this.releaseOf(L, file))
    return 1
  }

  private readonly releaseByFile = new WeakMap<OpenedFile, () => void>()

  private releaseOf(L: LuaState, file: OpenedFile): () => void {
    const known = this.releaseByFile.get(file)
    if (known !== undefined) return known
    const release = () => {
      try {
        if (!file.isClosed) file.close(L)
      } catch {
        // The script is over: nobody is there to be told.
      }
    }
    this.releaseByFile.set(file, release)
    return release
  }

  private fileIn(L: LuaState, n: number): OpenedFile | undefined {
    const value = lua.lua_touserdata(L, n)
    return typeof value === "object" && value !== null ? this.opened.get(value) : undefined
  }

  /** Argument n, which has to be an open file. */
  private fileAt(L: LuaState, n: number): OpenedFile {
    const file = this.fileIn(L, n)
    if (file === undefined) return badArgument(L, n, `FILE* expected, got ${textOf(lauxlib.luaL_typename(L, n))}`)
    return file.isClosed ? raise(L, "attempt to use a closed file") : file
  }

  private pushDefault(L: LuaState, role: Role): OpenedFile {
    lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, this.roles[role])
    const file = this.fileIn(L, -1)
    return file === undefined || file.isClosed ? raise(L, `default ${role} file is closed`) : file
  }

  private readonly text: LuaFunction = (L) => {
    const file = this.fileIn(L, 1)
    if (file === undefined) return badArgument(L, 1, "FILE* expected")
    return pushText(L, file.isClosed ? "file (closed)" : `file (0x${numberOf(file)})`)
  }

  private close(L: LuaState, file: OpenedFile): number {
    if (file.isStandard) {
      lua.lua_pushnil(L)
      pushText(L, "cannot close standard file")
      return 2
    }
    this.surroundings.releases?.delete(this.releaseOf(L, file))
    return attempt(L, undefined, () => {
      const result = file.close(L)
      if (result === true) lua.lua_pushboolean(L, true)
      else lua.lua_pushnumber(L, result)
      return 1
    })
  }

  private write(L: LuaState, file: OpenedFile, from: number): number {
    const last = lua.lua_gettop(L)
    return attempt(L, undefined, () => {
      for (let n = from; n <= last; n++) {
        const bytes = lauxlib.luaL_checkstring(L, n)
        this.surroundings.guard.charge(L, bytes.length)
        file.write(bytes)
      }
      lua.lua_pushboolean(L, true)
      return 1
    })
  }

  /** Reads by the formats from an argument on; a line without any. Ends at the first that finds nothing. */
  private read(L: LuaState, file: OpenedFile, from: number): number {
    const last = Math.max(lua.lua_gettop(L), from)
    lauxlib.luaL_checkstack(L, last + 3, bytesOf("too many arguments"))
    return attempt(L, undefined, () => {
      for (let n = from; n <= last; n++) {
        if (pushRead(L, file, n)) continue
        lua.lua_pushnil(L)
        return n - from + 1
      }
      return last - from + 1
    })
  }

  /** An iterator over lines; one that opened its file closes it at the end. */
  private pushLines(L: LuaState, file: OpenedFile, isOwn: boolean): number {
    lua.lua_pushcfunction(L, (caller) => {
      if (file.isClosed) return raise(caller, "file is already closed")
      let line: string | undefined
      try {
        line = file.line(caller)
      } catch (cause) {
        if (!isSystemError(cause)) throw cause
        return raise(caller, systemErrorOf(cause).message)
      }
      if (line !== undefined) return pushLetters(caller, line)
      if (isOwn) this.close(caller, file)
      lua.lua_pushnil(caller)
      return 1
    })
    return 1
  }

  /** `io.input`, `io.output`: the default file, or another instead of it. */
  private replaced(role: Role, mode: string): LuaFunction {
    return (L) => {
      if (!lua.lua_isnoneornil(L, 1)) {
        if (lua.lua_isstring(L, 1)) this.pushNamed(L, mode)
        else {
          this.fileAt(L, 1)
          lua.lua_pushvalue(L, 1)
        }
        lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, this.roles[role])
      }
      lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, this.roles[role])
      return 1
    }
  }

  /** Opens the file that the first argument names, or raises. */
  private pushNamed(L: LuaState, mode: string): void {
    const name = lauxlib.luaL_checkstring(L, 1)
    let channel: Channel
    try {
      channel = openFile(Buffer.from(name), mode)
    } catch (cause) {
      return badArgument(L, 1, `${textOf(name)}: ${systemErrorOf(cause).message}`)
    }
    this.push(L, channel)
  }

  functions(): Readonly<Record<string, LuaFunction>> {
    return {
      close: (L) => this.close(L, lua.lua_isnone(L, 1) ? this.pushDefault(L, "output") : this.fileAt(L, 1)),
      flush: (L) => this.flush(L, this.pushDefault(L, "output")),
      input: this.replaced("input", "r"),
      lines: (L) => {
        if (lua.lua_isnoneornil(L, 1)) return this.pushLines(L, this.pushDefault(L, "input"), false)
        this.pushNamed(L, "r")
        return this.pushLines(L, this.fileAt(L, -1), true)
      },
      open: (L) => {
        const name = lauxlib.luaL_checkstring(L, 1)
        const mode = textOr(L, 2, "r")
        if (!isMode(mode)) return badArgument(L, 2, "invalid mode")
        return attempt(L, textOf(name), () => this.push(L, openFile(Buffer.from(name), mode)))
      },
      output: this.replaced("output", "w"),
      popen: (L) => this.popen(L),
      read: (L) => this.read(L, this.defaultBelow(L, "input"), 1),
      tmpfile: (L) =>
        attempt(L, undefined, () => {
          const path = Buffer.from(join(tmpdir(), `lua_${randomUUID()}`))
          const channel = openFile(path, "w+x")
          unlinkSync(path)
          return this.push(L, channel)
        }),
      type: (L) => {
        lauxlib.luaL_checkany(L, 1)
        const file = this.fileIn(L, 1)
        if (file !== undefined) return pushText(L, file.isClosed ? "closed file" : "file")
        lua.lua_pushnil(L)
        return 1
      },
      write: (L) => this.write(L, this.defaultBelow(L, "output"), 1)
    }
  }

  /** The default file, leaving the arguments as they are. */
  private defaultBelow(L: LuaState, role: Role): OpenedFile {
    const file = this.pushDefault(L, role)
    lua.lua_pop(L, 1)
    return file
  }

  private flush(L: LuaState, file: OpenedFile): number {
    return attempt(L, undefined, () => {
      file.flush()
      lua.lua_pushboolean(L, true)
      return 1
    })
  }

  private popen(L: LuaState): number {
    const command = Uint8Array.from(lauxlib.luaL_checkstring(L, 1))
    const mode = textOr(L, 2, "r")
    if (mode !== "r" && mode !== "w") return badArgument(L, 2, "invalid mode")
    if (mode === "w") {
      return this.push(
        L,
        commandInput((closer, input) => runCommand(closer, this.surroundings, command, { input }).status)
      )
    }
    const { status, output } = runCommand(L, this.surroundings, command, { isCollected: true })
    this.surroundings.guard.charge(L, output.length)
    return this.push(L, commandOutput(output, status))
  }

  private methods(): Readonly<Record<string, LuaFunction>> {
    return {
      close: (L) => this.close(L, this.fileAt(L, 1)),
      flush: (L) => this.flush(L, this.fileAt(L, 1)),
      lines: (L) => this.pushLines(L, this.fileAt(L, 1), false),
      read: (L) => this.read(L, this.fileAt(L, 1), 2),
      seek: (L) => {
        const file = this.fileAt(L, 1)
        const whence = textOr(L, 2, "cur")
        if (whence !== "set" && whence !== "cur" && whence !== "end") {
          return badArgument(L, 2, `invalid option '${whence}'`)
        }
        const offset = integerOr(L, 3, 0)
        return attempt(L, undefined, () => {
          lua.lua_pushnumber(L, file.seek(whence, offset))
          return 1
        })
      },
      setvbuf: (L) => {
        const file = this.fileAt(L, 1)
        const mode = textOf(lauxlib.luaL_checkstring(L, 2))
        if (!["no", "full", "line"].includes(mode)) return badArgument(L, 2, `invalid option '${mode}'`)
        file.isUnbuffered = mode === "no"
        return this.flush(L, file)
      },
      write: (L) => this.write(L, this.fileAt(L, 1), 2)
    }
  }
}

/** Pushes what a format reads: a count of bytes, `*l`, `*a`, `*n`; false when there is nothing. */
const pushRead = (L: LuaState, file: OpenedFile, n: number): boolean => {
  if (lua.lua_type(L, n) === lua.LUA_TNUMBER) {
    const read = file.count(L, integerAt(L, n))
    if (read !== undefined) pushLetters(L, read)
    return read !== undefined
  }
  const format = lua.lua_isnoneornil(L, n) ? "*l" : textOf(lauxlib.luaL_checkstring(L, n))
  switch (format.replace(/^\*/, "").charAt(0)) {
    case "n": {
      const number = file.number(L)
      if (number !== undefined) lua.lua_pushnumber(L, number)
      return number !== undefined
    }
    case "l":
    case "L": {
      const line = file.line(L)
      if (line !== undefined) pushLetters(L, line)
      return line !== undefined
    }
    case "a":
      pushLetters(L, file.all(L))
      return true
    default:
      return badArgument(L, n, "invalid format")
  }
}

const numbers = new WeakMap<OpenedFile, string>()
let given = 0x1000

/** A number that stands for a file in its text. */
const numberOf = (file: OpenedFile): string => {
  const known = numbers.get(file)
  if (known !== undefined) return known
  given += 0x10
  const number = given.toString(16).padStart(8, "0")
  numbers.set(file, number)
  return number
}
