/** Reads the filters of names and tags in regsync's file; what no pattern or range can be is told (faults K03, K13). */
import { anchored } from "../lib/pattern.ts"
import { parseRanges } from "../lib/semver.ts"
import { quoted } from "../lib/visibleText.ts"
import type { YamlNode } from "../lib/yaml.ts"
import type { NameFilter, TagFilter } from "./RegsyncConfig.ts"
import type { Members, SettingsReader } from "./settings.ts"

export const readTags = (reader: SettingsReader, node: YamlNode | undefined, where: string): TagFilter => {
  const members = reader.members(node, where, ["allow", "deny", "semverRange"])
  return {
    allow: patterns(reader, members, "allow"),
    deny: patterns(reader, members, "deny"),
    semverRange: reader.list(members.at("semverRange"), members.path("semverRange"), (it, its) => {
      const range = reader.text(it, its)
      const found = parseRanges([range])
      if (found !== undefined && "problem" in found) reader.refuse(it, its, found.problem)
      return range
    }) ?? []
  }
}

export const readNames = (reader: SettingsReader, node: YamlNode | undefined, where: string): NameFilter => {
  const members = reader.members(node, where, ["allow", "deny"])
  return { allow: patterns(reader, members, "allow"), deny: patterns(reader, members, "deny") }
}

/** Patterns are compiled where they are used; here it is only told which ones cannot be (faults K13). */
const patterns = (reader: SettingsReader, { at, path }: Members, key: "allow" | "deny"): ReadonlyArray<string> =>
  reader.list(at(key), path(key), (node, where) => {
    const pattern = reader.text(node, where)
    const found = plainName.test(pattern) ? undefined : anchored(pattern)
    if (found !== undefined && "problem" in found)
      reader.refuse(node, where, `invalid ${key} pattern ${quoted(pattern)}: ${found.problem}`)
    return pattern
  }) ?? []

/** A pattern without anything that could be wrong. */
const plainName = /^[\w./-]*$/
