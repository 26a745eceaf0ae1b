/** `regsync`: its commands and its global flags. */
import { group, type Tool } from "../cli/command.ts"
import { logOptions, verbosity, version } from "../cli/standard.ts"

export const regsync: Tool = {
  root: group({
    name: "regsync",
    summary: "Keep repositories and registries in step",
    children: [version]
  }),
  globals: [logOptions, verbosity("info")]
}
