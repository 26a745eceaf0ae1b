/** Markdown tables, laid out as the formatter of this project lays them out. */
import type { Row } from "./measure.ts"

/** A table whose columns are as wide as their widest cell. */
export const markdown = (head: ReadonlyArray<string>, lines: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((name, at) => Math.max(name.length, 3, ...lines.map((line) => (line[at] ?? "").length)))
  const line = (cells: ReadonlyArray<string>, fill: string) =>
    `| ${widths.map((width, at) => (cells[at] ?? "").padEnd(width, fill)).join(" | ")} |`
  return [line(head, " "), line([], "-"), ...lines.map((it) => line(it, " "))].join("\n")
}

const requestsOf = ({ counts }: Row): string => {
  if (counts === undefined) return "–"
  const { mounts, requests, uploads } = counts
  const parts = [...(uploads > 0 ? [`${uploads} up`] : []), ...(mounts > 0 ? [`${mounts} mounted`] : [])]
  return parts.length === 0 ? String(requests) : `${requests} (${parts.join(", ")})`
}

/** All rows, a line each. */
export const table = (rows: ReadonlyArray<Row>): string =>
  markdown(
    ["case", "tool", "ours / its wall", "ours / its CPU", "wall s", "CPU s", "CPU s/GiB", "peak MiB", "requests"],
    rows.map((row) => [
      row.title,
      row.name,
      row.ratio.wall.toFixed(2),
      row.median.cpu === 0 || row.ratio.cpu === 0 ? "–" : row.ratio.cpu.toFixed(2),
      row.median.wall.toFixed(3),
      row.median.cpu === 0 ? "–" : row.median.cpu.toFixed(3),
      row.gib === undefined ? "–" : (row.median.cpu / row.gib).toFixed(2),
      row.median.peak.toFixed(0),
      requestsOf(row)
    ])
  )
