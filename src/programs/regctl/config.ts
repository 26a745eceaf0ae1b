/** The commands `regctl config …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { integer, text, toggle } from "../cli/flags.ts"
import { format } from "./shared.ts"

export const config = group({
  name: "config",
  summary: "show and change options",
  help: `Show and change options of this tool.
They are kept in $HOME/.regctl/config.json, or in the file named by
REGCTL_CONFIG. Docker's logins and values of --host are no part of it.`,
  children: [
    command({
      name: "get",
      summary: "show the options",
      help: "Show the configuration file without its secrets.",
      args: "",
      examples: [
        ["the whole configuration", "{tool} config get"],
        ["the file's name", "{tool} config get --format '{{.Filename}}'"]
      ],
      options: { format: format("{{ printPretty . }}") }
    }, () => import("../config/get.ts")),
    command({
      name: "set",
      summary: "change an option",
      help: "Change options for later runs. Only what is given changes.",
      args: "",
      examples: [
        ["do not read docker's logins", "{tool} config set --docker-cred=false"],
        ["read them again", "{tool} config set --docker-cred"]
      ],
      options: {
        blobLimit: integer("blob-limit", "Bytes of a chunk a registry may ask for"),
        defaultCredHelper: text("default-cred-helper", "Credential helper for every registry"),
        dockerCert: toggle("docker-cert", "Read certificates of docker, on by default"),
        dockerCred: toggle("docker-cred", "Read logins of docker, on by default")
      }
    }, () => import("../config/set.ts"))
  ]
})
