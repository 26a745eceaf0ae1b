/** A line of a YAML file beside a problem in it, without what nobody else may read. */
import { cut, visible } from "./visibleText.ts"

/** What keys have in them whose values are secrets, of ours or of a user's own. */
const secretWord = /pass|pw|token|secret|key|auth|cred/i

/** Keys that only sound like one; `creds` is the list of all logins, not one itself. */
const plainKey = /\b(?:creds|credExpire|credHelper|credHost|repoAuth)["']?\s*:/g

const hasSecret = (line: string): boolean => {
  const text = line.replaceAll(plainKey, "")
  // A key is what stands before each colon: found from its end, so that a long line takes no longer than its length.
  for (let colon = text.indexOf(":"), from = 0; colon >= 0; from = colon + 1, colon = text.indexOf(":", from)) {
    if (secretWord.test(keyAtEnd(text.slice(from, colon).trimEnd()))) return true
  }
  return false
}

/** The letters, digits, dots and hyphens that a text ends with, in quotes or not. */
const keyAtEnd = (text: string): string => {
  const end = /["']$/.test(text) ? text.length - 1 : text.length
  let start = end
  while (start > 0 && /[\w.-]/.test(text.charAt(start - 1))) start--
  return text.slice(start, end)
}

/** Where the key of a line stands, or its text: behind the marks of list items. */
const indentOf = (line: string): number => /^\s*(?:- +)*/.exec(line)?.[0].length ?? 0

/** Whether a line, from 0, gives a secret, or continues the value of one. */
const isSecretAt = (lines: ReadonlyArray<string>, at: number): boolean => {
  if (hasSecret(lines[at] ?? "")) return true
  let indent = indentOf(lines[at] ?? "")
  for (let above = at - 1; above >= 0 && indent > 0; above--) {
    const line = lines[above] ?? ""
    const its = indentOf(line)
    if (line.trim() === "" || its >= indent) continue
    if (hasSecret(line)) return true
    indent = its
  }
  return false
}

export interface ShownLine {
  readonly text: string
  /** The line holds a secret, which is not shown: nor may a message name what stands there. */
  readonly isSecret: boolean
}

/** The line, from 1, of a text split into lines: trimmed, at most 200 characters. */
export const shownLine = (lines: ReadonlyArray<string>, line: number): ShownLine => {
  const text = (lines[line - 1] ?? "").trim()
  if (isSecretAt(lines, line - 1)) {
    const [key = ""] = /^(?:- +)*["']?[\w.-]+["']?\s*:/.exec(text) ?? []
    return { text: hasSecret(key) ? `${key} [censored]` : "[censored]", isSecret: true }
  }
  return { text: visible(cut(text.replaceAll(/\/\/[^/\s@]+@/g, "//[censored]@"), 200)), isSecret: false }
}
