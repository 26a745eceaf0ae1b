/** A tool as a plugin of the docker command line, which calls it with its own flags and the plugin's name in front. */
import { localCommand, type Tool } from "../cli/command.ts"

/** Docker asks each plugin who it is before it lists or runs it. */
const metadata = localCommand({
  name: "docker-cli-plugin-metadata",
  summary: "show what docker needs to know of this plugin",
  args: "",
  isHidden: true,
  examples: [["what docker reads", "{tool} docker-cli-plugin-metadata"]],
  options: {}
}, () => import("./metadata.ts"))

/** The same tool under the name its user types, with the command docker asks. */
export const asPlugin = (tool: Tool, plugin: string): Tool => ({
  ...tool,
  calledAs: `docker ${plugin}`,
  root: { ...tool.root, children: [...tool.root.children, metadata] }
})

interface Call {
  /** Arguments as the tool reads them. */
  readonly args: ReadonlyArray<string>
  /** The directory `docker --config` names. */
  readonly dockerConfig?: string
}

/** Docker's global flags that take a value. */
const valued = new Set([
  "--config",
  "--context",
  "--host",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
  "-H",
  "-c",
  "-l"
])

/** Words docker puts before the name. */
const leading = new Set(["__complete", "__completeNoDesc", "help"])

/**
 * Reads `docker [flags] [help | __complete] <plugin> …` without its first word. Of docker's flags the directory of
 * logins and `--debug` count, the others tell how to reach a daemon. Arguments without the plugin's name are those of
 * a tool called by itself.
 */
export const callOf = (plugin: string, args: ReadonlyArray<string>): Call => {
  let dockerConfig: string | undefined
  let isDebug = false
  let at = 0
  for (let word = args[at]; word?.startsWith("-") === true; word = args[++at]) {
    if (word === "-D" || word === "--debug") isDebug = true
    if (word.startsWith("--config=")) dockerConfig = word.slice("--config=".length)
    if (word === "--config") dockerConfig = args[at + 1]
    if (valued.has(word)) at++
  }
  const lead = args.slice(at, leading.has(args[at] ?? "") ? at + 1 : at)
  if (args[at + lead.length] !== plugin) return { args }
  const rest = args.slice(at + lead.length + 1)
  return {
    args: [...lead, ...(isDebug && lead.length === 0 ? ["--verbosity", "debug"] : []), ...rest],
    ...(dockerConfig === undefined ? {} : { dockerConfig })
  }
}
