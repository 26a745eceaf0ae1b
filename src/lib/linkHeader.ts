/** The `Link` header (RFC 8288): which address is related how. What cannot be read is left out. */

export interface Link {
  /** As written, perhaps relative. */
  readonly target: string
  /** Lower-case names; of a name given twice the first counts. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The links of all header values, in their order. */
export const parseLinks = (values: ReadonlyArray<string>): ReadonlyArray<Link> => values.flatMap(linksOf)

/** The address of the first link with that relation. */
export const linkTo = (relation: string, values: ReadonlyArray<string>): string | undefined =>
  parseLinks(values).find(({ parameters }) =>
    (parameters["rel"] ?? "").toLowerCase().split(/[ \t]+/).includes(relation.toLowerCase())
  )?.target

const target = /[\s,]*<([^>]*)>/y
const parameter = /\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?/y
const skipped = /\s*;?\s*/y

const linksOf = (value: string): ReadonlyArray<Link> => {
  const links: Array<Link> = []
  for (let at = 0; at < value.length;) {
    const found = matchAt(target, value, at)
    if (found === null) return links
    at = target.lastIndex
    const parameters: Record<string, string> = Object.create(null)
    for (let next = matchAt(parameter, value, at); next !== null; next = matchAt(parameter, value, at)) {
      at = parameter.lastIndex
      const name = (next[1] ?? "").toLowerCase()
      parameters[name] ??= next[2]?.replace(/\\(.)/g, "$1") ?? next[3] ?? ""
    }
    matchAt(skipped, value, at)
    at = skipped.lastIndex
    links.push({ target: (found[1] ?? "").trim(), parameters })
    // Anything else up to the next comma belongs to a form nobody knows.
    if (at < value.length && value[at] !== ",") at = nextComma(value, at)
  }
  return links
}

const matchAt = (pattern: RegExp, value: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(value)
}

const nextComma = (value: string, at: number): number => {
  const comma = value.indexOf(",", at)
  return comma < 0 ? value.length : comma
}
