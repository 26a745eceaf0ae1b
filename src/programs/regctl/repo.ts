/** The commands `regctl repo …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { integer, text, texts, toggle } from "../cli/flags.ts"
import { pretty, rawFormat } from "./shared.ts"

export const repo = group({
  name: "repo",
  summary: "work with repositories",
  children: [
    command({
      name: "copy",
      aliases: ["cp"],
      summary: "copy the images of a repository",
      help: `Copy every tag of a repository, or those that are asked for.
Tags are matched as a whole by RE2 expressions. What the target has already
stays: tags that the source does not have, and content that is the same.
The first failure ends the copy.`,
      args: "<source_repo> <dest_repo>",
      examples: [
        ["copy all tags", "{tool} repo copy ghcr.io/example/app registry.example.org/app"],
        ["copy releases", "{tool} repo copy --include 'v[0-9.]+' ghcr.io/example/app registry.example.org/app"],
        ["copy what is new to a directory", "{tool} repo copy --new-tags ghcr.io/example/app ocidir://app"]
      ],
      options: {
        concurrent: integer("concurrent", "Images to copy at once, 0 for all", { otherwise: 2 }),
        exclude: texts("exclude", "Leave out tags that match this expression"),
        include: texts("include", "Copy tags that match this expression"),
        newTags: toggle("new-tags", "Copy only tags that the target does not have"),
        referrers: toggle("referrers", "Copy referrers, and theirs")
      }
    }, () => import("../repo/copy.ts")),
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
