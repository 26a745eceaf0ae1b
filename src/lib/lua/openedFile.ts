/** An open file of a script: reading by lines, counts and numbers over a channel, as one letter for each byte. */
import type { LuaState } from "./fengari.ts"
import type { Channel } from "./fileChannel.ts"
import type { Guard } from "./guard.ts"
import { numeralOf } from "./numerals.ts"
import { Parts } from "./parts.ts"

const newline = 10
const nap = new Int32Array(new SharedArrayBuffer(4))

const isSpace = (byte: number | undefined): boolean => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13)

export class OpenedFile {
  isClosed = false
  isUnbuffered = false
  readonly isStandard: boolean
  private readonly channel: Channel
  private readonly guard: Guard
  private buffer = new Uint8Array(0)
  private at = 0

  constructor(channel: Channel, guard: Guard, isStandard: boolean) {
    this.channel = channel
    this.guard = guard
    this.isStandard = isStandard
  }

  /** What lies in the buffer; `undefined` at the end. Where nothing has come yet, waits until the script's time is over. */
  private rest(L: LuaState): Uint8Array | undefined {
    while (this.at >= this.buffer.length) {
      const into = new Uint8Array(64 * 1024)
      const count = this.channel.read(into, L)
      this.guard.check(L)
      if (count === 0) return undefined
      if (count === undefined) Atomics.wait(nap, 0, 0, 20)
      else {
        this.buffer = into.subarray(0, count)
        this.at = 0
      }
    }
    return this.buffer.subarray(this.at)
  }

  /** The next byte, which stays. */
  private peek(L: LuaState): number | undefined {
    return this.at < this.buffer.length ? this.buffer[this.at] : this.rest(L)?.[0]
  }

  /** A line without its end; `undefined` at the end of the file. */
  line(L: LuaState): string | undefined {
    const parts = new Parts(L, this.guard)
    for (let isFirst = true;; isFirst = false) {
      const rest = this.rest(L)
      if (rest === undefined) return isFirst ? undefined : parts.joined()
      const end = rest.indexOf(newline)
      parts.add(end < 0 ? rest : rest.subarray(0, end))
      this.at += end < 0 ? rest.length : end + 1
      if (end >= 0) return parts.joined()
    }
  }

  /** Everything up to the end, which may be nothing. */
  all(L: LuaState): string {
    const parts = new Parts(L, this.guard)
    for (let rest = this.rest(L); rest !== undefined; rest = this.rest(L)) {
      parts.add(rest)
      this.at += rest.length
    }
    return parts.joined()
  }

  /** Up to so many bytes; `undefined` at the end of the file. */
  count(L: LuaState, wanted: number): string | undefined {
    if (this.rest(L) === undefined) return undefined
    const parts = new Parts(L, this.guard)
    for (let left = wanted; left > 0;) {
      const rest = this.rest(L)?.subarray(0, left)
      if (rest === undefined) break
      parts.add(rest)
      this.at += rest.length
      left -= rest.length
    }
    return parts.joined()
  }

  /** A numeral after blanks, as far as one goes; `undefined` when there is none. */
  number(L: LuaState): number | undefined {
    while (isSpace(this.peek(L))) this.at++
    let text = ""
    const take = (allowed: RegExp): boolean => {
      const letter = String.fromCharCode(this.peek(L) ?? 0)
      if (text.length >= 200 || !allowed.test(letter)) return false
      text += letter
      this.at++
      return true
    }
    take(/[-+]/)
    const isHex = take(/0/) && take(/[xX]/)
    const digit = isHex ? /[0-9a-fA-F]/ : /[0-9]/
    while (take(digit));
    if (!isHex && take(/\./)) { while (take(digit)); }
    if (!isHex && take(/[eE]/)) {
      take(/[-+]/)
      while (take(digit));
    }
    return numeralOf(Buffer.from(text))
  }

  write(bytes: Uint8Array): void {
    this.settle()
    this.channel.write(bytes)
    if (this.isUnbuffered) this.channel.flush()
  }

  flush(): void {
    this.channel.flush()
  }

  seek(whence: "set" | "cur" | "end", offset: number): number {
    this.settle()
    return this.channel.seek(whence, offset)
  }

  close(L: LuaState): true | number {
    this.isClosed = true
    return this.channel.close(L)
  }

  /** Puts the channel where the script believes it to be. */
  private settle(): void {
    const unread = this.buffer.length - this.at
    this.buffer = new Uint8Array(0)
    this.at = 0
    if (unread > 0) this.channel.seek("cur", -unread)
  }
}
