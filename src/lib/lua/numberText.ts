/** How a number of Lua looks as text. */

/** As Go prints a float64: `1000000`, `0.1`, `1e+21`, `+Inf`, `NaN`. */
export const numberText = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString()
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"
  const text = Math.abs(value) < 1e-4 || Math.abs(value) >= 1e21 ? value.toExponential() : String(value)
  return text.replace(/e([+-])(\d)$/, "e$10$2")
}
