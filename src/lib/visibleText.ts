/** Text from outside made safe to show: nothing in it moves a cursor, reorders a line or forges one. */

/** Controls, C1 controls, bidi controls, line separators, lone surrogates: what a terminal or reader would act upon. */
const acting =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu

const short: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r"
}

const escapeOne = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  return short[character] ?? (code < 0x80 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`)
}

/** The same text with every acting character spelled out; plain text comes back as it is. */
export const visible = (text: string): string => text.replace(acting, escapeOne)

/** JSON text with every acting character as `\uXXXX`, which reads back as the same value. */
export const asciiControls = (json: string): string =>
  json.replace(acting, (it) => `\\u${(it.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`)

/** At most `limit` characters, with a mark where more was. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit).replace(/\p{Cs}$/u, "")}…`

/** In double quotes, as Go's `%q` prints it. */
export const quoted = (text: string): string => `"${visible(text.replace(/[\\"]/g, "\\$&"))}"`

/** Whether a value of a `key=value` log line needs quotes. */
export const needsQuotes = (text: string): boolean => text === "" || /[ ="]/.test(text) || text.search(acting) >= 0
