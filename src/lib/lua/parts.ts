/** A string that comes to be piece by piece, within the bounds of a script. */
import { refuseLonger } from "./arguments.ts"
import { bytesOf, type LuaState } from "./fengari.ts"
import type { Guard } from "./guard.ts"

export class Parts {
  private readonly parts: Array<Uint8Array> = []
  private length = 0
  private readonly L: LuaState
  private readonly guard: Guard

  constructor(L: LuaState, guard: Guard) {
    this.L = L
    this.guard = guard
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return
    this.length += part.length
    // An entry of the list costs as well, however short its piece is.
    this.guard.charge(this.L, part.length + 16)
    refuseLonger(this.L, this.length)
    this.parts.push(part)
  }

  addText(text: string): void {
    this.add(bytesOf(text))
  }

  joined(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts))
  }
}
