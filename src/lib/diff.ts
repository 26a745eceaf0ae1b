/**
 * Line by line differences (Myers, "An O(ND) difference algorithm and its variations", 1986) and their text in hunks.
 * The script is a shortest one up to a bound of work; beyond it lines that occur once on both sides are lined up first.
 */

/** Lines `aFrom` to `aTo` of the first text stand where lines `bFrom` to `bTo` of the second are; ends are exclusive. */
export interface Change {
  readonly aFrom: number
  readonly aTo: number
  readonly bFrom: number
  readonly bTo: number
}

export interface DiffOptions {
  /** Steps a search for the shortest script may take; each costs about 10 ns and one bit. */
  readonly steps?: number
}

export interface HunkOptions extends DiffOptions {
  /** Unchanged lines shown around changes: 3 unless given, none when negative, all when infinite. */
  readonly context?: number
}

const defaultSteps = 500_000_000
/** Steps for a stretch between two lines that were lined up. */
const smallSteps = 1_000_000

/** What turns `a` into `b`, in order; no two changes touch. */
export const diffLines = (
  a: ReadonlyArray<string>,
  b: ReadonlyArray<string>,
  { steps = defaultSteps }: DiffOptions = {}
): ReadonlyArray<Change> => {
  const numbers = new Map<string, number>()
  const numbered = (lines: ReadonlyArray<string>) =>
    Int32Array.from(lines, (line) => {
      const known = numbers.get(line)
      if (known !== undefined) return known
      numbers.set(line, numbers.size)
      return numbers.size - 1
    })
  const [left, right] = [numbered(a), numbered(b)]
  const known = new Set(left)
  if (!right.some((line) => known.has(line))) return changesBetween([], a.length, b.length)
  return shortest(left, right, steps) ?? shortestOfCommon(left, right, steps) ??
    aligned(left, right, Math.min(steps, smallSteps))
}

/**
 * The differences as hunks of lines: `@@ -A,N +B,M @@`, then `  ` before what stays, `- ` and `+ ` before what goes and
 * comes. Changes share a hunk when no more lines than the context stay between them. Equal texts give nothing.
 */
export const diffHunks = (
  a: ReadonlyArray<string>,
  b: ReadonlyArray<string>,
  { context = 3, ...options }: HunkOptions = {}
): ReadonlyArray<string> => {
  const around = Math.max(context, 0)
  const hunks: Array<Array<Change>> = []
  for (const change of diffLines(a, b, options)) {
    const hunk = hunks.at(-1)
    const last = hunk?.at(-1)
    if (hunk !== undefined && last !== undefined && change.aFrom - last.aTo <= around) hunk.push(change)
    else hunks.push([change])
  }
  return hunks.flatMap((hunk) => hunkLines(a, b, hunk, around))
}

const hunkLines = (
  a: ReadonlyArray<string>,
  b: ReadonlyArray<string>,
  hunk: ReadonlyArray<Change>,
  around: number
): ReadonlyArray<string> => {
  const [first, last] = [hunk[0], hunk.at(-1)]
  if (first === undefined || last === undefined) return []
  const before = Math.min(around, first.aFrom)
  const after = Math.min(around, a.length - last.aTo)
  const [aFrom, aTo] = [first.aFrom - before, last.aTo + after]
  const [bFrom, bTo] = [first.bFrom - before, last.bTo + after]
  const lines = [`@@ -${aFrom + 1},${aTo - aFrom} +${bFrom + 1},${bTo - bFrom} @@`]
  const push = (mark: string, text: ReadonlyArray<string>, from: number, to: number) => {
    for (let at = from; at < to; at++) lines.push(`${mark} ${text[at] ?? ""}`)
  }
  let at = aFrom
  for (const change of hunk) {
    push(" ", a, at, change.aFrom)
    push("-", a, change.aFrom, change.aTo)
    push("+", b, change.bFrom, change.bTo)
    at = change.aTo
  }
  push(" ", a, at, aTo)
  return lines
}

/** For each number of edits: the diagonals looked at, and for each one bit, set where it was reached by an insertion. */
interface Row {
  readonly from: number
  readonly downs: Uint8Array
}

/** The greedy algorithm of the paper's section 4; `undefined` when it takes more steps than allowed. */
const shortest = (a: Int32Array, b: Int32Array, allowed: number): ReadonlyArray<Change> | undefined => {
  const [n, m] = [a.length, b.length]
  const zero = m + 1
  // How far down the first text the path on each diagonal is, -1 where none came yet.
  const reached = new Int32Array(n + m + 3).fill(-1)
  reached[zero + 1] = 0
  const rows: Array<Row> = []
  let steps = 0
  // Diagonals whose end was reached are not looked at again.
  let [low, high] = [-m, n]
  for (let edits = 0; edits <= n + m; edits++) {
    const from = Math.max(-edits, low + ((low + edits) & 1))
    const to = Math.min(edits, high - ((high + edits) & 1))
    steps += (to - from) / 2 + 1
    if (steps > allowed) return undefined
    const downs = new Uint8Array(((to - from) >> 4) + 1)
    rows.push({ from, downs })
    for (let diagonal = from, bit = 0; diagonal <= to; diagonal += 2, bit++) {
      const byDelete = reached[zero + diagonal - 1] ?? -1
      const byInsert = reached[zero + diagonal + 1] ?? -1
      const isDown = byDelete < byInsert
      if (isDown) downs[bit >> 3] = (downs[bit >> 3] ?? 0) | (1 << (bit & 7))
      let x = isDown ? byInsert : byDelete + 1
      let y = x - diagonal
      while (x < n && y < m && a[x] === b[y]) {
        x++
        y++
      }
      reached[zero + diagonal] = x
      if (x >= n && y >= m) return pathOf(rows, a, b)
      if (x >= n) high = Math.min(high, diagonal - 1)
      if (y >= m) low = Math.max(low, diagonal + 1)
    }
  }
  return undefined
}

/** The changes of the path found, which ends at the end of both texts. */
const pathOf = (rows: ReadonlyArray<Row>, a: Int32Array, b: Int32Array): ReadonlyArray<Change> => {
  const downs: Array<boolean> = []
  let diagonal = a.length - b.length
  for (let edits = rows.length - 1; edits > 0; edits--) {
    const row = rows[edits]
    if (row === undefined) break
    const bit = (diagonal - row.from) >> 1
    const isDown = ((row.downs[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
    downs.push(isDown)
    diagonal += isDown ? 1 : -1
  }
  const pairs: Array<Pair> = []
  let [x, y] = [0, 0]
  const follow = () => {
    while (x < a.length && y < b.length && a[x] === b[y]) pairs.push([x++, y++])
  }
  follow()
  for (let edit = downs.length - 1; edit >= 0; edit--) {
    if (downs[edit] === true) y++
    else x++
    follow()
  }
  return changesBetween(pairs, a.length, b.length)
}

/** A line of each text that are the same. */
type Pair = readonly [x: number, y: number]

/** What is left when these lines stay. */
const changesBetween = (pairs: ReadonlyArray<Pair>, n: number, m: number): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  let [aFrom, bFrom] = [0, 0]
  for (const [aTo, bTo] of [...pairs, [n, m] as const]) {
    if (aTo > aFrom || bTo > bFrom) changes.push({ aFrom, aTo, bFrom, bTo })
    aFrom = aTo + 1
    bFrom = bTo + 1
  }
  return changes
}

/** A shortest script found among the lines that both texts have; `undefined` when it takes more steps than allowed. */
const shortestOfCommon = (a: Int32Array, b: Int32Array, steps: number): ReadonlyArray<Change> | undefined => {
  const places = (lines: Int32Array, others: Int32Array) => {
    const known = new Set(others)
    return Int32Array.from([...lines.keys()].filter((at) => known.has(lines[at] ?? -1)))
  }
  const [left, right] = [places(a, b), places(b, a)]
  // Not worth a second search of the same length.
  if (left.length + right.length > (a.length + b.length) * 0.75) return undefined
  const changes = shortest(left.map((at) => a[at] ?? -1), right.map((at) => b[at] ?? -1), steps)
  if (changes === undefined) return undefined
  const pairs: Array<Pair> = []
  let [x, y] = [0, 0]
  for (const { aFrom, aTo, bTo } of [...changes, { aFrom: left.length, aTo: 0, bTo: 0 }]) {
    while (x < aFrom) pairs.push([left[x++] ?? 0, right[y++] ?? 0])
    x = aTo
    y = bTo
  }
  return changesBetween(pairs, a.length, b.length)
}

/** Lines that occur once in each text, in an order both have, stay; what is between them is looked at by itself. */
const aligned = (a: Int32Array, b: Int32Array, steps: number): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  let [aFrom, bFrom] = [0, 0]
  for (const [aTo, bTo] of [...anchors(a, b), [a.length, b.length] as const]) {
    const inside = shortest(a.subarray(aFrom, aTo), b.subarray(bFrom, bTo), steps) ??
      [{ aFrom: 0, aTo: aTo - aFrom, bFrom: 0, bTo: bTo - bFrom }]
    for (const it of inside) {
      changes.push({ aFrom: aFrom + it.aFrom, aTo: aFrom + it.aTo, bFrom: bFrom + it.bFrom, bTo: bFrom + it.bTo })
    }
    aFrom = aTo + 1
    bFrom = bTo + 1
  }
  return changes
}

/** The longest run of pairs of unique lines that rises on both sides (patience sorting). */
const anchors = (a: Int32Array, b: Int32Array): ReadonlyArray<Pair> => {
  const unique = (lines: Int32Array) => {
    const places = new Map<number, number>()
    lines.forEach((line, at) => places.set(line, places.has(line) ? -1 : at))
    return places
  }
  const inB = unique(b)
  const piles: Array<{ readonly pair: Pair; readonly before: unknown }> = []
  for (const [line, x] of unique(a)) {
    const y = inB.get(line) ?? -1
    if (x < 0 || y < 0) continue
    let [low, high] = [0, piles.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((piles[middle]?.pair[1] ?? 0) < y) low = middle + 1
      else high = middle
    }
    piles[low] = { pair: [x, y], before: piles[low - 1] }
  }
  const chain: Array<Pair> = []
  for (let top = piles.at(-1); top !== undefined; top = top.before as typeof top | undefined) chain.push(top.pair)
  return chain.toReversed()
}
