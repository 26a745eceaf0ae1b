/** `regsync`: its commands and its global flags (regsync description, section 2). */
import { command, group, type Tool } from "../cli/command.ts"
import { text, toggle } from "../cli/flags.ts"
import { cliDoc, completion, logOptions, verbosity, version } from "../cli/standard.ts"

const config = text("config", "Configuration file, - for standard input", {
  short: "c",
  isRequired: true,
  completes: "file"
})
const strict = toggle("strict", "Refuse keys that are unknown or given twice, except x-*")
const abortOnError = toggle("abort-on-error", "Stop at the first error")

const output = text("output", "What to print: text, or json for a record a line", {
  otherwise: "text",
  completes: ["text", "json"]
})
const report = text("report", "File for one JSON record a line of what was done, - for standard output", {
  completes: "file"
})

const once = command({
  name: "once",
  summary: "process every entry once and copy what is out of date",
  help: `Process every entry once, in the order of the file, and copy what is missing or out of date at its target.
Schedules do not matter. An entry that fails does not stop the others.
With --report or --output json, a record tells of each image how it ended, and one of the whole run.`,
  args: "",
  isRange: true,
  examples: [
    ["all entries", "{tool} once -c regsync.yml"],
    ["only what the targets do not have", "{tool} once -c regsync.yml --missing"],
    ["from another program", "generate | {tool} once -c -"]
  ],
  options: {
    config,
    abortOnError,
    missing: toggle("missing", "Copy only tags that the target does not have"),
    output,
    report,
    strict
  }
}, () => import("./once.ts"))

const check = command({
  name: "check",
  summary: "process every entry once and copy nothing",
  help: `Process every entry once, in the order of the file, and log what "once" would copy.
Images that are out of date change the exit status only with --exit-code: it is 2 then, and 1 when something failed.`,
  args: "",
  isRange: true,
  examples: [
    ["what is out of date", "{tool} check -c regsync.yml"],
    ["for a script", "{tool} check -c regsync.yml --exit-code --output json"]
  ],
  options: {
    config,
    abortOnError,
    exitCode: toggle("exit-code", "End with exit status 2 when something is out of date"),
    output,
    report,
    strict
  }
}, () => import("./check.ts"))

const server = command({
  name: "server",
  summary: "run every entry by its schedule until told to end",
  help: `Copy what the targets do not have, then run every entry by its schedule or interval until told to end.
SIGHUP reads the configuration again: entries that stay the same keep their times, and one that cannot be read
changes nothing. SIGUSR1 prints what is at work. SIGTERM and SIGINT stop: copies at work are taken back, and the
exit status is 1 if anything failed since the start; a second one ends at once.`,
  args: "",
  isRange: true,
  isServer: true,
  endsItself: true,
  examples: [
    ["stay resident", "{tool} server -c regsync.yml"],
    ["with a page that shows what happens", "{tool} server -c regsync.yml --listen 127.0.0.1:8080"],
    ["use a changed configuration", "kill -HUP <pid>"]
  ],
  options: {
    config,
    abortOnError,
    listen: text("listen", "Address of the status server, such as 127.0.0.1:8080, in place of the file's"),
    strict
  }
}, () => import("./server.ts"))

const show = command({
  name: "config",
  summary: "show the configuration with defaults and templates applied",
  help: `Show the configuration as YAML, every key of it, with defaults and templates applied.
The output can be loaded again. Passwords and keys are in it unless --redact is given.`,
  args: "",
  isRange: true,
  examples: [
    ["what would be run", "{tool} config -c regsync.yml"],
    ["to show to others", "{tool} config -c regsync.yml --redact"],
    ["find keys that are misspelt", "{tool} config -c regsync.yml --strict"]
  ],
  options: { config, redact: toggle("redact", "Censor passwords, tokens and keys"), strict }
}, () => import("./config.ts"))

export const regsync: Tool = {
  root: group({
    name: "regsync",
    summary: "Keep repositories and registries in step",
    help: `Copy images from registry to registry by a file that says which, once or by a schedule.`,
    examples: [
      ["see what is out of date", "{tool} check -c regsync.yml"],
      ["copy it", "{tool} once -c regsync.yml"],
      ["keep copying", "{tool} server -c regsync.yml"]
    ],
    children: [check, cliDoc("once"), completion, show, once, server, version]
  }),
  globals: [logOptions, verbosity("INFO")]
}
