/** The text format 0.0.4 of Prometheus: families of samples with help, type and escaped labels. */

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Hits of each bucket, the last for what is above all bounds; sum in the unit of the family. */
  readonly counts: ReadonlyArray<number>
  readonly sum: number
}

interface Named {
  readonly name: string
  readonly help: string
}

export type Family =
  | Named & { readonly type: "counter" | "gauge"; readonly samples: ReadonlyArray<Sample> }
  | Named & {
    readonly type: "histogram"
    readonly bounds: ReadonlyArray<number>
    readonly series: ReadonlyArray<Series>
  }

/** A family without samples is left out. */
export const exposition = (families: ReadonlyArray<Family>): string =>
  families.map((family) => {
    const lines = family.type === "histogram"
      ? family.series.flatMap((series) => histogramLines(family.name, family.bounds, series))
      : family.samples.map(({ labels = {}, value }) => line(family.name, labels, value))
    if (lines.length === 0) return ""
    const help = family.help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")
    return `# HELP ${family.name} ${help}\n# TYPE ${family.name} ${family.type}\n${lines.join("")}`
  }).join("")

const histogramLines = (
  name: string,
  bounds: ReadonlyArray<number>,
  { counts, labels, sum }: Series
): ReadonlyArray<string> => {
  let count = 0
  const buckets = counts.map((hits, at) => {
    count += hits
    const bound = bounds[at]
    return line(`${name}_bucket`, { ...labels, le: bound === undefined ? "+Inf" : String(bound) }, count)
  })
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)]
}

const line = (name: string, labels: Readonly<Record<string, string>>, value: number): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`
}

const escaped = (text: string): string =>
  text.replace(/\\/g, "\\\\").replace(/"/g, "\\\"").replace(/\n/g, "\\n").toWellFormed()
