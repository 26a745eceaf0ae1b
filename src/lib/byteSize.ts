/** Sizes as people read them: decimal units, three places. */

const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]

/** `0.000B`, `1.024kB`, `1.000MB`. */
export const humanSize = (bytes: number): string => {
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value.toFixed(3)}${units[unit]}`
}
