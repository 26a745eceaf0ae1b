/** A string that comes to be piece by piece, within the bounds of a script. */
import { refuseLonger } from "./arguments.ts"
import type { LuaState } from "./fengari.ts"
import type { Guard } from "./guard.ts"

/** Pieces up to this length are gathered as letters first: a list of short pieces costs more than what is in them. */
const short = 32
const gathered = 16 * 1024

export class Parts {
  private readonly parts: Array<Uint8Array> = []
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
    if (part.length > short) {
      this.settle()
      this.push(part)
      return
    }
    for (const byte of part) this.letters += String.fromCharCode(byte)
    if (this.letters.length > gathered) this.settle()
  }

  /** One letter for each byte: ASCII as it is. */
  addLetters(letters: string): void {
    this.letters += letters
    if (this.letters.length > gathered) this.settle()
  }

  joined(): Uint8Array {
    if (this.parts.length === 0) return Buffer.from(this.letters, "latin1")
    this.settle()
    return Buffer.concat(this.parts)
  }

  private settle(): void {
    if (this.letters === "") return
    const part = Buffer.from(this.letters, "latin1")
    this.letters = ""
    this.push(part)
  }

  private push(part: Uint8Array): void {
    this.length += part.length
    this.guard.charge(this.L, part.length)
    refuseLonger(this.L, this.length)
    this.parts.push(part)
  }
}
