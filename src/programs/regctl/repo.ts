/** The commands `regctl repo …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { integer, text } from "../cli/flags.ts"
import { pretty, rawFormat } from "./shared.ts"

export const repo = group({
  name: "repo",
  summary: "work with repositories",
  children: [
    command({
      name: "ls",
      aliases: ["list"],
      summary: "list the repositories of a registry",
      help: "List the repositories of a registry. Docker Hub does not answer this question.",
      args: "<registry>",
      examples: [
        ["list repositories", "{tool} repo ls registry.example.org"],
        ["the next five after one", "{tool} repo ls registry.example.org --last app --limit 5"]
      ],
      options: {
        format: rawFormat(pretty),
        last: text("last", "List repositories after this one"),
        limit: integer("limit", "List this many repositories")
      }
    }, () => import("../repo/list.ts"))
  ]
})
