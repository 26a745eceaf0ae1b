/** Chunked transfer coding (RFC 9112, section 7.1), read strictly and in place. */
import { isNameByte, isValueByte, Malformed } from "./responseHead.ts"

const CR = 13
const LF = 10
const COLON = 58
/** Characters of a size line's extensions, and of all trailers. */
const mostExtension = 16_384
const mostTrailer = 65_536
/** Digits of a size: 2^52 at most. */
const mostDigits = 13

type State =
  | "size"
  | "extension"
  | "size LF"
  | "content"
  | "content CR"
  | "content LF"
  | "trailer"
  | "trailer name"
  | "trailer value"
  | "trailer LF"
  | "last LF"
  | "done"

/** Finds the content in the bytes of a chunked body, which may come in pieces of any size. */
export class Chunks {
  #state: State = "size"
  #digits = 0
  #size = 0
  #extension = 0
  #trailers = 0

  /** Where the content found by the last `next` begins and ends; the same when it found none. */
  from = 0
  to = 0

  get isDone(): boolean {
    return this.#state === "done"
  }

  /**
   * Goes on at `at`, up to the end of one piece of content, of the body, or of what is there (`end`). Gives the position
   * after what it took. Throws `Malformed`.
   */
  next(bytes: Uint8Array, at: number, end: number): number {
    this.from = this.to = at
    while (at < end) {
      if (this.#state === "content") return this.#content(at, end)
      if (this.#state === "done") return at
      this.#step(bytes[at++] ?? 0)
    }
    return at
  }

  #content(at: number, end: number): number {
    this.from = at
    this.to = Math.min(end, at + this.#size)
    this.#size -= this.to - at
    if (this.#size === 0) this.#state = "content CR"
    return this.to
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#sizeDigit(byte)
      case "extension":
        if (byte === CR) this.#state = "size LF"
        else if (byte < 32 && byte !== 9 || byte === 127) throw new Malformed("a chunk extension that is none")
        else if (++this.#extension > mostExtension) throw new Malformed("chunk extensions without end")
        return
      case "size LF":
        if (byte !== LF) throw new Malformed("a chunk size that is none")
        this.#state = this.#size === 0 ? "trailer" : "content"
        return
      case "content CR":
        if (byte !== CR) throw new Malformed("a chunk longer than its size")
        this.#state = "content LF"
        return
      case "content LF":
        if (byte !== LF) throw new Malformed("a chunk longer than its size")
        this.#state = "size"
        this.#digits = 0
        this.#extension = 0
        return
      default:
        return this.#trailerByte(byte)
    }
  }

  #sizeDigit(byte: number): void {
    const digit = byte >= 48 && byte <= 57 ? byte - 48 : (byte | 32) >= 97 && (byte | 32) <= 102 ? (byte | 32) - 87 : -1
    if (digit >= 0) {
      if (++this.#digits > mostDigits) throw new Malformed("a chunk size that is none")
      this.#size = this.#size * 16 + digit
    } else if (this.#digits === 0) throw new Malformed("a chunk size that is none")
    else if (byte === CR) this.#state = "size LF"
    else if (byte === 59) this.#state = "extension"
    else throw new Malformed("a chunk size that is none")
  }

  /** Trailers are looked at and left aside: nothing in them is asked for. */
  #trailerByte(byte: number): void {
    if (++this.#trailers > mostTrailer) throw new Malformed("trailers without end")
    const next = this.#afterTrailer(byte)
    if (next === undefined) throw new Malformed("a trailer that is none")
    this.#state = next
  }

  #afterTrailer(byte: number): State | undefined {
    switch (this.#state) {
      case "trailer":
        return byte === CR ? "last LF" : isNameByte(byte) ? "trailer name" : undefined
      case "trailer name":
        return byte === COLON ? "trailer value" : isNameByte(byte) ? "trailer name" : undefined
      case "trailer value":
        return byte === CR ? "trailer LF" : isValueByte(byte) ? "trailer value" : undefined
      default:
        return byte !== LF ? undefined : this.#state === "last LF" ? "done" : "trailer"
    }
  }
}
