/** Text from outside, made safe to show on a terminal (faults, "Text from outside"). */

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

/** Control characters, line breaks and bidi controls escaped; cut after `limit` characters. */
export const showText = (text: string, limit = 2_000): string => {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return cut.replace(/[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu, (it) => {
    const hex = (it.codePointAt(0) ?? 0).toString(16)
    return names[it] ?? (hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex}`)
  })
}
