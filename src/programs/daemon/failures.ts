/** What went wrong in the life of a daemon, in bounded memory: each text once, the newest of them, and how many there were. */
import { cut } from "../../lib/visibleText.ts"

/** Texts kept, and characters of one. */
const kept = 100
const length = 2_000

/** All that went wrong. */
export interface Summary {
  /** Texts, the oldest first. */
  readonly messages: ReadonlyArray<string>
  /** The stable name of what all of them went wrong for, where it is one thing. */
  readonly reason?: { readonly _tag: string }
}

export class Failures {
  readonly #counts = new Map<string, number>()
  readonly #reasons = new Set<string>()
  #forgotten = 0

  /** `reason` is the stable name of what went wrong. */
  add(text: string, reason: string): void {
    this.#reasons.add(reason)
    const message = cut(text, length)
    const count = this.#counts.get(message) ?? 0
    this.#counts.delete(message)
    this.#counts.set(message, count + 1)
    const [oldest] = this.#counts
    if (this.#counts.size <= kept || oldest === undefined) return
    this.#counts.delete(oldest[0])
    this.#forgotten += oldest[1]
  }

  /** None when nothing went wrong. */
  summary(): Summary | undefined {
    if (this.#counts.size === 0) return undefined
    // Of the text of a script's error, what stands above its stack says what it is.
    const shown = [...this.#counts].map(([text, count]) =>
      count === 1 ? text : text.replace(/(?=\nstack traceback:)|$/, ` (${count} times)`)
    )
    const [reason, other] = this.#reasons
    return {
      messages: this.#forgotten === 0 ? shown : [`${this.#forgotten} earlier errors are not shown`, ...shown],
      ...(reason !== undefined && other === undefined ? { reason: { _tag: reason } } : {})
    }
  }
}
