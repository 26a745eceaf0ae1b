/** What every tool has: its global flags and the command `version`. */
import { localCommand } from "./command.ts"
import { text, texts } from "./flags.ts"

export const version = localCommand({
  name: "version",
  summary: "show the version",
  help: "Show which build this is.",
  args: "",
  examples: [
    ["all that is known", "{tool} version"],
    ["the version alone", "{tool} version --format '{{.VCSTag}}'"]
  ],
  options: { format: text("format", "Go template for the output", { otherwise: "{{printPretty .}}" }) }
}, () => import("../misc/version.ts"))

export const logOptions = texts("logopt", "Log option; json for one object a line").shape

export const verbosity = (otherwise: string) =>
  text("verbosity", "Log level (trace, debug, info, warn, error)", { short: "v", otherwise }).shape
