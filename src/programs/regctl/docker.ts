/** The commands `regctl docker …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { text } from "../cli/flags.ts"

export const docker = group({
  name: "docker",
  summary: "work with docker's client",
  children: [
    command({
      name: "install",
      summary: "install this tool as a plugin of docker's client",
      help: `Link this tool into the directory in which docker's client looks for its plugins.
"docker regctl" is this tool from then on, with the logins of that client.
A link that is there is replaced. To take it away, remove the file that is printed.`,
      args: "",
      examples: [
        ["for this user", "{tool} docker install"],
        ["for everyone", "{tool} docker install --dir /usr/local/lib/docker/cli-plugins"]
      ],
      options: {
        dir: text("dir", "Directory of plugins (default: cli-plugins where docker keeps its settings)", {
          completes: "file"
        })
      }
    }, () => import("../docker/install.ts"))
  ]
})
