/** What every tool has: its global flags, and the commands `completion`, `version` and `cli-doc`. */
import { group, localCommand } from "./command.ts"
import { text, texts, toggle } from "./flags.ts"

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

/** `example` is a command of the tool. */
export const cliDoc = (example: string) =>
  localCommand({
    name: "cli-doc",
    summary: "show the documentation of commands",
    help: "Show the documentation of a command as Markdown, or list all commands.",
    args: "[command]...",
    completes: ["command"],
    isHidden: true,
    examples: [
      ["list all commands", "{tool} cli-doc --list"],
      ["the documentation of a command", `{tool} cli-doc ${example}`]
    ],
    options: {
      format: text("format", "Go template for the output (default: Markdown)"),
      hidden: toggle("hidden", "List hidden commands too"),
      list: toggle("list", "List all commands")
    }
  }, () => import("../misc/cliDoc.ts"))

const shell = (name: string, title: string, now: string, always: string) => ({
  name,
  summary: `print the completion script for ${title}`,
  help: `Print the script that lets ${title} complete commands, flags and their values.`,
  args: "",
  examples: [["in this shell", now], ["in every new shell", always]] as const,
  options: { noDescriptions: toggle("no-descriptions", "Complete without descriptions") }
})

/** Each script asks the tool itself, by its hidden command `__complete`. */
export const completion = group({
  name: "completion",
  summary: "print completion scripts for shells",
  help: `Print a script that lets a shell complete commands, flags and their values.
References complete to repositories and tags, registries to those configured.`,
  children: [
    localCommand(
      shell(
        "bash",
        "bash",
        "source <({tool} completion bash)",
        "echo 'source <({tool} completion bash)' >>~/.bashrc"
      ),
      () => import("../completion/bash.ts")
    ),
    localCommand(
      shell(
        "fish",
        "fish",
        "{tool} completion fish | source",
        "{tool} completion fish >~/.config/fish/completions/{tool}.fish"
      ),
      () => import("../completion/fish.ts")
    ),
    localCommand(
      shell(
        "powershell",
        "PowerShell",
        "{tool} completion powershell | Out-String | Invoke-Expression",
        "{tool} completion powershell >>$PROFILE"
      ),
      () => import("../completion/powershell.ts")
    ),
    localCommand(
      shell("zsh", "zsh", "source <({tool} completion zsh)", `{tool} completion zsh >"\${fpath[1]}/_{tool}"`),
      () => import("../completion/zsh.ts")
    )
  ]
})

export const logOptions = texts("logopt", "Log option; json for one object a line", { completes: ["json"] }).shape

export const verbosity = (otherwise: string) =>
  text("verbosity", "Log level (trace, debug, info, warn, error)", {
    short: "v",
    otherwise,
    completes: ["trace", "debug", "info", "warn", "error"]
  }).shape
