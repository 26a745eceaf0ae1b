/** A string that comes to be piece by piece, within the bounds of a script. */
import { refuseLonger } from "./arguments.ts"
import type { LuaState } from "./fengari.ts"
import type { Guard } from "./guard.ts"
import { flat, lettersOf } from "./strings.ts"

/** Pieces up to this length are gathered as letters first: a list of short pieces costs more than what is in them. */
const short = 32
const gathered = 16 * 1024

export class Parts {
  /** On the heap of the thread: bytes would be memory of the process, of which it leaves much behind (faults S03). */
  private readonly parts: Array<string> = []
  private length = 0
  /** The end of the string, one letter for each byte. */
  private letters = ""
  private readonly L: LuaState
  private readonly guard: Guard

  constructor(L: LuaState, guard: Guard) {
    this.L = L
    this.guard = guard
  }

  add(part: Uint8Array): void {
    const { length } = part
    if (length <= short) {
      for (const byte of part) this.letters += String.fromCharCode(byte)
      if (this.letters.length > gathered) this.settle()
      return
    }
    this.settle()
    this.claim(length)
    this.parts.push(lettersOf(part))
  }

  /** One letter for each byte: ASCII as it is. */
  addLetters(letters: string): void {
    this.letters += letters
    if (this.letters.length > gathered) this.settle()
  }

  /** All of it, one letter for each byte. */
  joined(): string {
    if (this.parts.length === 0) return this.letters
    this.settle()
    return this.parts.join("")
  }

  private settle(): void {
    if (this.letters === "") return
    this.claim(this.letters.length)
    this.parts.push(flat(this.letters))
    this.letters = ""
  }

  private claim(length: number): void {
    this.length += length
    this.guard.charge(this.L, length)
    refuseLonger(this.L, this.length)
  }
}
