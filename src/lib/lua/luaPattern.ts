/**
 * Patterns of Lua 5.1 over bytes. A pattern is compiled, and matched with a stack of its own for what is still to be
 * tried: neither a long pattern nor a long subject goes deep, and whoever asks is called every few thousand steps.
 */

/** What is wrong with a pattern. */
export class PatternProblem extends Error {}

/** `set[byte]` is 1 for the bytes meant. */
type ByteSet = Uint8Array

type Item =
  | { readonly does: "one" | "most" | "least" | "maybe" | "frontier"; readonly set: ByteSet }
  | { readonly does: "open" | "place" | "close" | "again"; readonly capture: number }
  | { readonly does: "balance"; readonly from: number; readonly to: number }
  | { readonly does: "end" }

export interface Pattern {
  readonly isAnchored: boolean
  readonly items: ReadonlyArray<Item>
  readonly captures: number
}

const mostCaptures = 32
const [percent, caret, dollar, dot, dash, star, plus, question] = [37, 94, 36, 46, 45, 42, 43, 63]
const [opening, closing, bracket, bracketEnd] = [40, 41, 91, 93]

const isBetween = (byte: number, low: string, high: string): boolean =>
  byte >= low.charCodeAt(0) && byte <= high.charCodeAt(0)
const isLower = (byte: number): boolean => isBetween(byte, "a", "z")
const isUpper = (byte: number): boolean => isBetween(byte, "A", "Z")
const isDigit = (byte: number): boolean => isBetween(byte, "0", "9")
const isLetter = (byte: number): boolean => isLower(byte) || isUpper(byte)
const isPrinted = (byte: number): boolean => byte > 32 && byte < 127

const classes: Readonly<Record<string, (byte: number) => boolean>> = {
  a: isLetter,
  c: (byte) => byte < 32 || byte === 127,
  d: isDigit,
  l: isLower,
  p: (byte) => isPrinted(byte) && !isLetter(byte) && !isDigit(byte),
  s: (byte) => byte === 32 || (byte >= 9 && byte <= 13),
  u: isUpper,
  w: (byte) => isLetter(byte) || isDigit(byte),
  x: (byte) => isDigit(byte) || isBetween(byte, "a", "f") || isBetween(byte, "A", "F"),
  z: (byte) => byte === 0
}

const setOf = (holds: (byte: number) => boolean): ByteSet =>
  Uint8Array.from({ length: 256 }, (_, it) => holds(it) ? 1 : 0)

/** What `%` and a byte stand for: a class, its complement in upper case, else the byte itself. */
const escaped = (byte: number): ByteSet => {
  const letter = String.fromCharCode(byte)
  const holds = classes[letter.toLowerCase()]
  if (holds === undefined || !isLetter(byte)) return setOf((it) => it === byte)
  return setOf(isUpper(byte) ? (it) => !holds(it) : holds)
}

const everyByte = setOf(() => true)

class Compiler {
  readonly items: Array<Item> = []
  private readonly unclosed: Array<number> = []
  private captures = 0
  private at = 0
  private readonly source: Uint8Array

  constructor(source: Uint8Array) {
    this.source = source
  }

  compile(): Pattern {
    const { source } = this
    const isAnchored = source[0] === caret
    if (isAnchored) this.at = 1
    while (this.at < source.length) this.item()
    if (this.unclosed.length > 0) throw new PatternProblem("unfinished capture")
    return { isAnchored, items: this.items, captures: this.captures }
  }

  private item(): void {
    const { source } = this
    const byte = source[this.at]
    const next = source[this.at + 1] ?? -1
    if (byte === opening) return this.open(next)
    if (byte === closing) return this.close()
    if (byte === dollar && this.at + 1 === source.length) {
      this.at++
      this.items.push({ does: "end" })
      return
    }
    if (byte === percent && next === 98) return this.balance()
    if (byte === percent && next === 102) return this.frontier()
    if (byte === percent && isDigit(next)) return this.again(next - 48)
    this.repeated(this.single())
  }

  private open(next: number): void {
    if (this.captures >= mostCaptures) throw new PatternProblem("too many captures")
    const capture = this.captures++
    if (next === closing) this.items.push({ does: "place", capture })
    else {
      this.items.push({ does: "open", capture })
      this.unclosed.push(capture)
    }
    this.at += next === closing ? 2 : 1
  }

  private close(): void {
    const capture = this.unclosed.pop()
    if (capture === undefined) throw new PatternProblem("invalid pattern capture")
    this.items.push({ does: "close", capture })
    this.at++
  }

  private balance(): void {
    const [from, to] = [this.source[this.at + 2], this.source[this.at + 3]]
    if (from === undefined || to === undefined) throw new PatternProblem("unbalanced pattern")
    this.items.push({ does: "balance", from, to })
    this.at += 4
  }

  private frontier(): void {
    this.at += 2
    if (this.source[this.at] !== bracket) throw new PatternProblem("missing '[' after '%f' in pattern")
    this.items.push({ does: "frontier", set: this.single() })
  }

  private again(digit: number): void {
    const capture = digit - 1
    if (capture < 0 || capture >= this.captures || this.unclosed.includes(capture))
      throw new PatternProblem("invalid capture index")
    this.items.push({ does: "again", capture })
    this.at += 2
  }

  private repeated(set: ByteSet): void {
    const suffix = this.source[this.at]
    if (suffix === plus) this.items.push({ does: "one", set }, { does: "most", set })
    else if (suffix === star) this.items.push({ does: "most", set })
    else if (suffix === dash) this.items.push({ does: "least", set })
    else if (suffix === question) this.items.push({ does: "maybe", set })
    else {
      this.items.push({ does: "one", set })
      return
    }
    this.at++
  }

  /** One class of bytes: a byte, `.`, `%` and a letter, or a set in brackets. */
  private single(): ByteSet {
    const byte = this.source[this.at++] ?? 0
    if (byte === dot) return everyByte
    if (byte === bracket) return this.bracketed()
    if (byte !== percent) return setOf((it) => it === byte)
    const letter = this.source[this.at++]
    if (letter === undefined) throw new PatternProblem("malformed pattern (ends with '%')")
    return escaped(letter)
  }

  private bracketed(): ByteSet {
    const { source } = this
    const isComplement = source[this.at] === caret
    if (isComplement) this.at++
    const set = new Uint8Array(256)
    let isFirst = true
    for (;;) {
      const byte = source[this.at++]
      if (byte === undefined) throw new PatternProblem("malformed pattern (missing ']')")
      if (byte === bracketEnd && !isFirst) break
      isFirst = false
      const last = source[this.at + 1]
      if (byte === percent) {
        const letter = source[this.at++]
        if (letter === undefined) throw new PatternProblem("malformed pattern (missing ']')")
        escaped(letter).forEach((it, at) => set[at] = (set[at] ?? 0) | it)
      } else if (source[this.at] === dash && last !== undefined && last !== bracketEnd) {
        this.at += 2
        for (let it = byte; it <= last; it++) set[it] = 1
      } else set[byte] = 1
    }
    return isComplement ? set.map((it) => 1 - it) : set
  }
}

/** Throws a PatternProblem for a pattern that is malformed anywhere. */
export const compilePattern = (source: Uint8Array): Pattern => new Compiler(source).compile()

const [unclosed, place] = [-1, -2]
const [retryMost, retryLeast, retryMaybe] = [0, 1, 2]

/** Matches one pattern against one subject, anywhere and any number of times. */
export class Matcher {
  /** Where each capture of the last match begins, from 0. */
  readonly starts: Array<number> = []
  /** Where it ends; of a capture of a place, a negative number. */
  readonly ends: Array<number> = []
  readonly pattern: Pattern
  readonly subject: Uint8Array
  private readonly tick: () => void
  private steps = 0

  /** `tick` is called at least every 8,192 steps, and may throw. */
  constructor(pattern: Pattern, subject: Uint8Array, tick: () => void) {
    this.pattern = pattern
    this.subject = subject
    this.tick = tick
  }

  /** The end of the match that begins at a place, from 0; -1 when there is none. */
  matchAt(from: number): number {
    const { items } = this.pattern
    const pending: Array<number> = []
    let [at, next] = [from, 0]
    for (;;) {
      this.count(1)
      const item = items[next]
      if (item === undefined) return at
      at = this.step(item, next, at, pending)
      if (at >= 0) next++
      else {
        const resumed = this.resume(pending)
        if (resumed === undefined) return -1
        at = resumed.at
        next = resumed.next
      }
    }
  }

  private count(steps: number): void {
    this.steps += steps
    if (this.steps < 8192) return
    this.steps = 0
    this.tick()
  }

  private has(set: ByteSet, at: number): boolean {
    const byte = this.subject[at]
    return byte !== undefined && set[byte] === 1
  }

  /** The place after an item that matches, else -1; what else could be tried is put on the stack. */
  private step(item: Item, number: number, at: number, pending: Array<number>): number {
    switch (item.does) {
      case "one":
        return this.has(item.set, at) ? at + 1 : -1
      case "most": {
        let end = at
        while (this.has(item.set, end)) {
          end++
          this.count(1)
        }
        if (end > at) pending.push(at, end, number, retryMost)
        return end
      }
      case "least":
        pending.push(0, at, number, retryLeast)
        return at
      case "maybe":
        if (!this.has(item.set, at)) return at
        pending.push(0, at, number, retryMaybe)
        return at + 1
      case "open":
      case "place":
        this.starts[item.capture] = at
        this.ends[item.capture] = item.does === "open" ? unclosed : place
        return at
      case "close":
        // Nothing has to be undone: whatever is tried again passes here again.
        this.ends[item.capture] = at
        return at
      case "again":
        return this.repeatOf(item.capture, at)
      case "balance":
        return this.balanced(item.from, item.to, at)
      case "frontier":
        return item.set[at === 0 ? 0 : this.subject[at - 1] ?? 0] === 0 && item.set[this.subject[at] ?? 0] === 1
          ? at
          : -1
      case "end":
        return at === this.subject.length ? at : -1
    }
  }

  /** The next of what could still be tried. */
  private resume(pending: Array<number>): { readonly at: number; readonly next: number } | undefined {
    for (;;) {
      this.count(1)
      const kind = pending.pop()
      if (kind === undefined) return undefined
      const [number = 0, at = 0, low = 0] = [pending.pop(), pending.pop(), pending.pop()]
      if (kind === retryMaybe) return { at, next: number + 1 }
      if (kind === retryMost) {
        if (at - 1 > low) pending.push(low, at - 1, number, retryMost)
        return { at: at - 1, next: number + 1 }
      }
      const item = this.pattern.items[number]
      if (item?.does !== "least" || !this.has(item.set, at)) continue
      pending.push(0, at + 1, number, retryLeast)
      return { at: at + 1, next: number + 1 }
    }
  }

  private repeatOf(capture: number, at: number): number {
    const start = this.starts[capture] ?? 0
    const end = this.ends[capture] ?? 0
    // A capture of a place has no bytes to repeat.
    if (end < 0 || this.subject.length - at < end - start) return -1
    for (let it = start; it < end; it++) {
      this.count(1)
      if (this.subject[it] !== this.subject[at + it - start]) return -1
    }
    return at + end - start
  }

  private balanced(from: number, to: number, at: number): number {
    if (this.subject[at] !== from) return -1
    let depth = 1
    for (let it = at + 1; it < this.subject.length; it++) {
      this.count(1)
      if (this.subject[it] === to) {
        depth--
        if (depth === 0) return it + 1
      } else if (this.subject[it] === from) depth++
    }
    return -1
  }
}

/** Where bytes are found in others from a place on, from 0; -1 when nowhere. Linear in both. */
export const indexOfBytes = (subject: Uint8Array, sought: Uint8Array, from: number, tick: () => void): number => {
  if (sought.length === 0) return from
  // How much of the beginning stands again before each place (Knuth, Morris, Pratt).
  const borders = new Int32Array(sought.length)
  for (let at = 1, border = 0; at < sought.length; at++) {
    if (at % 8192 === 0) tick()
    while (border > 0 && sought[at] !== sought[border]) border = borders[border - 1] ?? 0
    if (sought[at] === sought[border]) border++
    borders[at] = border
  }
  for (let at = from, found = 0; at < subject.length; at++) {
    if (at % 8192 === 0) tick()
    while (found > 0 && subject[at] !== sought[found]) found = borders[found - 1] ?? 0
    if (subject[at] === sought[found]) found++
    if (found === sought.length) return at - found + 1
  }
  return -1
}
