/**
 * Versions as tags carry them, and ranges of versions (regsync description, 9.4): any count of numbers, an optional `v`,
 * no special place for prereleases.
 */

export interface Version {
  readonly numbers: ReadonlyArray<bigint>
  /** Identifiers of the prerelease; none for a release. */
  readonly prerelease: ReadonlyArray<string>
}

/** `v1.2.3-rc.1+build`; `undefined` for a text that is no version. */
export const parseVersion = (text: string): Version | undefined => {
  const [version = ""] = text.replace(/^v/, "").split("+", 1)
  const dash = version.indexOf("-")
  const numbers = (dash < 0 ? version : version.slice(0, dash)).split(".")
  if (version.length > 256 || !numbers.every((it) => /^[0-9]+$/.test(it))) return undefined
  const prerelease = dash < 0 ? [] : version.slice(dash + 1).split(".")
  return { numbers: numbers.map(BigInt), prerelease }
}

const order = <A>(a: A, b: A): number => a < b ? -1 : a > b ? 1 : 0

/** Letters and digits in turn: letters by their bytes, digits by their value, so that `rc2` is below `rc11`. */
const piecesOf = (identifier: string): ReadonlyArray<string | bigint> =>
  (identifier.match(/[0-9]+|[^0-9]+/g) ?? []).flatMap((piece, at): ReadonlyArray<string | bigint> =>
    /^[0-9]/.test(piece) ? (at === 0 ? ["", BigInt(piece)] : [BigInt(piece)]) : [piece]
  )

const compareIdentifiers = (a: string, b: string): number => {
  const [left, right] = [piecesOf(a), piecesOf(b)]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]]
    // Both are of one kind: letters and digits come in turn, letters first.
    const found = one === undefined || other === undefined ? 0 : order(one, other)
    if (found !== 0) return found
  }
  return order(left.length, right.length)
}

/** Below, equal or above: numbers from the left, absent ones as 0; a prerelease is below its release. */
export const compareVersions = (a: Version, b: Version): number => {
  for (let at = 0; at < Math.max(a.numbers.length, b.numbers.length); at++) {
    const found = order(a.numbers[at] ?? 0n, b.numbers[at] ?? 0n)
    if (found !== 0) return found
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return order(b.prerelease.length, a.prerelease.length)
  for (let at = 0; at < Math.min(a.prerelease.length, b.prerelease.length); at++) {
    const found = compareIdentifiers(a.prerelease[at] ?? "", b.prerelease[at] ?? "")
    if (found !== 0) return found
  }
  return order(a.prerelease.length, b.prerelease.length)
}

type Test = (version: Version) => boolean

/** The first version behind `^1.2.3` or `~1.2.3`. */
const above = (operator: "^" | "~", { numbers }: Version): Version => {
  const [major = 0n, minor = 0n, patch = 0n] = numbers
  const next = operator === "~"
    ? [major, minor + 1n, 0n]
    : major > 0n
    ? [major + 1n, 0n, 0n]
    : minor > 0n
    ? [0n, minor + 1n, 0n]
    : [0n, 0n, patch + 1n]
  return { numbers: next, prerelease: [] }
}

const termOf = (text: string): Test | string => {
  const [, operator = "", rest = ""] = /^(>=|<=|>|<|=|\^|~)?(.*)$/s.exec(text) ?? []
  const version = parseVersion(rest)
  if (version === undefined) {
    return `invalid constraint version: "${rest}"${rest === "" ? " (no space between operator and version)" : ""}`
  }
  switch (operator) {
    case ">=":
      return (it) => compareVersions(it, version) >= 0
    case "<=":
      return (it) => compareVersions(it, version) <= 0
    case ">":
      return (it) => compareVersions(it, version) > 0
    case "<":
      return (it) => compareVersions(it, version) < 0
    case "^":
    case "~": {
      const end = above(operator, version)
      return (it) => compareVersions(it, version) >= 0 && compareVersions(it, end) < 0
    }
    default:
      return (it) => compareVersions(it, version) === 0
  }
}

/**
 * A test for texts by ranges of which one has to hold, each of terms that all have to hold. A text that is no version
 * never passes. No range but empty ones: `undefined`, nothing is asked.
 */
export const parseRanges = (
  ranges: ReadonlyArray<string>
): { readonly test: (text: string) => boolean } | { readonly problem: string } | undefined => {
  const tests: Array<ReadonlyArray<Test>> = []
  for (const range of ranges) {
    const terms: Array<Test> = []
    for (const word of range.split(/\s+/).filter((it) => it !== "")) {
      const term = termOf(word)
      if (typeof term === "string") return { problem: `invalid semver range "${range}": ${term}` }
      terms.push(term)
    }
    if (terms.length > 0) tests.push(terms)
    else if (range !== "") return { problem: `invalid semver range "${range}": empty constraint` }
  }
  if (tests.length === 0) return undefined
  return {
    test: (text) => {
      const version = parseVersion(text)
      return version !== undefined && tests.some((terms) => terms.every((holds) => holds(version)))
    }
  }
}
