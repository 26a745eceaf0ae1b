/** `regbot`: its commands and its global flags. */
import { group, type Tool } from "../cli/command.ts"
import { logOptions, verbosity, version } from "../cli/standard.ts"

export const regbot: Tool = {
  root: group({
    name: "regbot",
    summary: "Run scripts on the content of registries",
    children: [version]
  }),
  globals: [logOptions, verbosity("info")]
}
