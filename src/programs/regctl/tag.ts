/** The commands `regctl tag …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { integer, text, texts } from "../cli/flags.ts"
import { ignoreMissing, pretty, rawFormat } from "./shared.ts"

export const tag = group({
  name: "tag",
  summary: "work with tags",
  children: [
    command({
      name: "delete",
      aliases: ["del", "rm", "remove"],
      summary: "delete a tag",
      help: `Delete one tag; other tags of the same image stay.
Where a registry cannot delete a tag, the tag is moved to a manifest made for
this purpose, which then is deleted. A registry that deletes nothing keeps it.`,
      args: "<image_ref>",
      examples: [["delete a tag", "{tool} tag delete registry.example.org/app:v1"]],
      options: { ignoreMissing: ignoreMissing("tag") }
    }, () => import("../tag/remove.ts")),
    command({
      name: "ls",
      aliases: ["list"],
      summary: "list the tags of a repository",
      help: `List the tags of a repository.
Not every registry honours --last and --limit. For a layout directory the
index is at hand too (--format "{{.Index}}").`,
      args: "<repository>",
      examples: [
        ["list all tags", "{tool} tag ls registry.example.org/app"],
        ["leave out tags named for digests", "{tool} tag ls registry.example.org/app --exclude 'sha256-.*'"]
      ],
      options: {
        exclude: texts("exclude", "Leave out tags that match this regular expression as a whole"),
        format: rawFormat(pretty),
        include: texts("include", "List only tags that match this regular expression as a whole"),
        last: text("last", "List tags after this one"),
        limit: integer("limit", "List this many tags")
      }
    }, () => import("../tag/list.ts"))
  ]
})
