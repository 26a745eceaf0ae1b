/** `regbot`: its commands and its global flags. */
import { group, type Tool } from "../cli/command.ts"
import { completion, logOptions, verbosity, version } from "../cli/standard.ts"

export const regbot: Tool = {
  root: group({
    name: "regbot",
    summary: "Run scripts on the content of registries",
    help: `Run scripts on the content of registries.
This release runs no scripts yet: only "version", "completion" and "help" work.`,
    children: [completion, version]
  }),
  globals: [logOptions, verbosity("info")]
}
