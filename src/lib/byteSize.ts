/** Sizes as people read them: thousands, three decimals, `1.024kB`. */

const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]

/** A number of bytes in the largest unit that leaves it at 1 or more: `0.000B`, `1.000MB`. */
export const byteSize = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value.toFixed(3)}${units[unit]}`
}
