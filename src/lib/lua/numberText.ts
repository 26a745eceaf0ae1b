/** How a number of Lua looks as text. */

/** As scripts know it: integers up to 2^63 by their digits, all others as Go prints them (`0.1`, `1.5e+06`, `+Inf`). */
export const numberText = (value: number): string => {
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) return BigInt(value).toString()
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
  const size = Math.abs(value)
  const text = size < 1e-4 || size >= 1e6 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, "e$10$2")
}
