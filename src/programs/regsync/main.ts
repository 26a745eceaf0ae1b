/** `regsync`: its commands and its global flags. */
import { group, type Tool } from "../cli/command.ts"
import { completion, logOptions, verbosity, version } from "../cli/standard.ts"

export const regsync: Tool = {
  root: group({
    name: "regsync",
    summary: "Keep repositories and registries in step",
    help: `Keep repositories and registries in step.
This release has no synchronisation yet: only "version", "completion" and "help" work.`,
    children: [completion, version]
  }),
  globals: [logOptions, verbosity("info")]
}
