/** Flags that several commands of `regctl` have in common. */
import { text, toggle } from "../cli/flags.ts"

const how = "Go template for the output"
export const pretty = "{{printPretty .}}"

/** `--format`, empty without a default. */
export const format = (otherwise = "") => text("format", how, { otherwise })

/** `--format` of a command that also knows `raw`, `raw-body` and `raw-headers`. */
export const rawFormat = (otherwise = "") =>
  text("format", `${how}, or one of "raw", "raw-body", "raw-headers"`, { otherwise })

export const platform = (help = "Platform to choose, such as linux/amd64 or local") =>
  text("platform", help, { short: "p" })

export const ignoreMissing = (what: string) => toggle("ignore-missing", `Succeed when the ${what} is gone already`)

export const skipCheck = toggle("skip-check", "Do not ask the registry whether the settings work")
