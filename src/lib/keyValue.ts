/** The `key=value,key=value` lists of `--host` and others (library description, section 1.4). */

/**
 * Reads a list. Double quotes group and are removed, a backslash takes the next character as it is, a key without `=`
 * has an empty value, an empty key is dropped, of a repeated key the last holds. `undefined` for a quote left open or a
 * backslash at the end.
 */
export const parseKeyValues = (text: string): ReadonlyMap<string, string> | undefined => {
  const found = new Map<string, string>()
  let [key, word, isQuoted] = [undefined as string | undefined, "", false]
  const finish = () => {
    const [name, value] = key === undefined ? [word, ""] : [key, word]
    if (name !== "") found.set(name, value)
    ;[key, word] = [undefined, ""]
  }
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at)
    if (letter === "\\") {
      if (++at === text.length) return undefined
      word += text.charAt(at)
    } else if (letter === "\"") {
      isQuoted = !isQuoted
    } else if (letter === "," && !isQuoted) {
      finish()
    } else if (letter === "=" && !isQuoted && key === undefined) {
      ;[key, word] = [word, ""]
    } else {
      word += letter
    }
  }
  if (isQuoted) return undefined
  finish()
  return found
}
