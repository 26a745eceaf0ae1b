/** `regbot`: its commands and its global flags (regbot description, section 2). */
import { command, group, type Tool } from "../cli/command.ts"
import { text, toggle } from "../cli/flags.ts"
import { cliDoc, completion, logOptions, verbosity, version } from "../cli/standard.ts"

const config = text("config", "Configuration file, - for standard input", {
  short: "c",
  isRequired: true,
  completes: "file"
})
const dryRun = toggle("dry-run", "Write to no registry, layout or archive, and log what would be written")
const sandbox = toggle("sandbox", "Shut scripts off from files and processes")
const strict = toggle("strict", "Refuse keys that are unknown or given twice, except x-*")

const once = command({
  name: "once",
  summary: "run every script once",
  help: `Run every script once, whatever its schedule, and end with the last of them.
Scripts run one after the other in the order of the file; with "parallel" in its defaults all run at once, 32 at most.
A script that fails does not stop the others; the exit status is 1 then, and os.exit in a script ends the whole run.`,
  args: "",
  isRange: true,
  examples: [
    ["see what would be done", "{tool} once -c regbot.yml --dry-run"],
    ["do it", "{tool} once -c regbot.yml"],
    ["from another program", "generate | {tool} once -c -"],
    ["scripts by others", "{tool} once -c regbot.yml --sandbox"]
  ],
  options: { config, dryRun, sandbox, strict }
}, () => import("./once.ts"))

const server = command({
  name: "server",
  summary: "run every script by its schedule until told to end",
  help: `Run every script by its schedule or interval until told to end. Nothing runs before its first time.
A time that comes while the script still runs is passed over; 32 scripts run at once, others wait.
SIGHUP reads the configuration again, scripts in files too: those that stay the same keep their times, and a
configuration that cannot be read changes nothing. SIGUSR1 prints what is at work. SIGTERM and SIGINT stop: scripts at
work are ended, and the exit status is 1 if anything failed since the start; a second one ends at once.`,
  args: "",
  isRange: true,
  isServer: true,
  endsItself: true,
  examples: [
    ["stay resident", "{tool} server -c regbot.yml"],
    ["see what would be done, and when", "{tool} server -c regbot.yml --dry-run -v debug"],
    ["with a page that shows what happens", "{tool} server -c regbot.yml --listen 127.0.0.1:8080"],
    ["use a changed configuration", "kill -HUP <pid>"]
  ],
  options: {
    config,
    dryRun,
    listen: text("listen", "Address of the status server, such as 127.0.0.1:8080, in place of the file's"),
    sandbox,
    strict
  }
}, () => import("./server.ts"))

export const regbot: Tool = {
  root: group({
    name: "regbot",
    summary: "Run scripts on the content of registries",
    help: `Run Lua scripts that list, inspect, copy, tag and delete images, once or by a schedule.`,
    examples: [
      ["see what scripts would do", "{tool} once -c regbot.yml --dry-run"],
      ["run them", "{tool} once -c regbot.yml"],
      ["keep running them", "{tool} server -c regbot.yml"]
    ],
    children: [cliDoc("once"), completion, once, server, version]
  }),
  globals: [logOptions, verbosity("INFO")]
}
