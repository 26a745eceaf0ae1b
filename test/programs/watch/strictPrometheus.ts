/** Reads the text format 0.0.4 of Prometheus as strictly as its description allows; throws at the first mistake. */

export interface ReadSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ReadFamily {
  readonly help: string
  readonly type: string
  readonly samples: ReadonlyArray<ReadSample>
}

const metric = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const suffixes: Readonly<Record<string, ReadonlyArray<string>>> = { histogram: ["_bucket", "_sum", "_count"] }

export const readExposition = (text: string): ReadonlyMap<string, ReadFamily> => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end")
  const families = new Map<string, { help: string; type: string; samples: Array<ReadSample> }>()
  const seen = new Set<string>()
  let name = ""
  const lines = text.split("\n").slice(0, -1)
  for (const [at, line] of lines.entries()) {
    const help = new RegExp(`^# HELP (${metric}) ((?:[^\\\\]|\\\\\\\\|\\\\n)*)$`).exec(line)
    if (help !== null) {
      name = help[1] ?? ""
      if (families.has(name)) throw new Error(`${name} comes twice`)
      const type = new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`).exec(lines[at + 1] ?? "")?.[1]
      if (type === undefined) throw new Error(`${name} has no type`)
      if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is named unlike a ${type}`)
      families.set(name, { help: help[2] ?? "", type, samples: [] })
      continue
    }
    if (line.startsWith("# TYPE ")) continue
    const family = families.get(name)
    if (family === undefined) throw new Error(`line ${at + 1} stands before its family`)
    const sample = readSample(line)
    if (!(suffixes[family.type] ?? [""]).some((suffix) => sample.name === name + suffix)) {
      throw new Error(`${sample.name} stands below ${name}`)
    }
    const key = line.slice(0, line.lastIndexOf(" "))
    if (seen.has(key)) throw new Error(`${key} comes twice`)
    seen.add(key)
    family.samples.push(sample)
  }
  for (const [name, { samples, type }] of families) {
    if (samples.length === 0) throw new Error(`${name} has no sample`)
    if (type === "histogram") checkHistogram(name, samples)
  }
  return families
}

const readSample = (line: string): ReadSample => {
  const found = new RegExp(`^(${metric})(?:\\{(.*)\\})? (\\+Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?)$`).exec(line)
  if (found === null) throw new Error(`no sample: ${line}`)
  const [, name = "", inner, value = ""] = found
  const labels: Record<string, string> = {}
  let rest = inner ?? ""
  while (rest !== "") {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(,(?=.)|$)/.exec(rest)
    if (label === null) throw new Error(`no labels: ${line}`)
    const [whole, key = "", text = ""] = label
    if (key in labels) throw new Error(`label twice: ${line}`)
    labels[key] = text.replace(/\\(.)/g, (_, it: string) => it === "n" ? "\n" : it)
    rest = rest.slice(whole.length)
  }
  return { name, labels, value: value === "+Inf" ? Infinity : Number(value) }
}

const checkHistogram = (name: string, samples: ReadonlyArray<ReadSample>): void => {
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }))
  for (const [labels, group] of series) {
    const buckets = group.filter((it) => it.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => labels["le"] === "+Inf" ? Infinity : Number(labels["le"]))
    const counts = buckets.map(({ value }) => value)
    const isRising = (list: ReadonlyArray<number>) => list.every((it, at) => at === 0 || it >= (list[at - 1] ?? 0))
    if (!isRising(bounds) || !isRising(counts) || bounds.at(-1) !== Infinity) throw new Error(`${labels}: odd buckets`)
    const one = (suffix: string) => group.filter((it) => it.name === `${name}_${suffix}`)
    if (one("sum").length !== 1 || one("count")[0]?.value !== counts.at(-1)) throw new Error(`${labels}: odd count`)
  }
}
