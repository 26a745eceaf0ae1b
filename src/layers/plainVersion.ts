/** `version` and nothing else, the commonest first call of a tool: told before anything of the tool is loaded. */
import { versionFacts, versionText } from "../lib/versionText.ts"

/** What to print; undefined for every other command line, and where a trace of the run may be wanted. */
export const plainVersion = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string | undefined>>
): string | undefined =>
  args.length === 1 && args[0] === "version" && !Object.keys(env).some((name) => name.startsWith("OTEL_"))
    ? versionText(versionFacts)
    : undefined
