/** Reads `key=value` flags: annotations and labels. */
import type { Annotations } from "../schemas/Descriptor.ts"

/** A text without `=` is a key with an empty value; of a repeated key the last holds. */
export const annotationsOf = (texts: ReadonlyArray<string>): Annotations =>
  Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=")
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
  }))
