/** How a daemon is watched: `server` of regsync's and regbot's files, absent in files of the Go tools. */
import type { YamlNode } from "../lib/yaml.ts"
import type { SettingsReader } from "./settings.ts"

export interface ServerSettings {
  /** Address and port of the status server; empty for none. */
  readonly listen: string
  /** Who has it may start entries; empty for nobody. A template. */
  readonly token: string
}

export const readServer = (reader: SettingsReader, node: YamlNode | undefined, where: string): ServerSettings => {
  const { at, path } = reader.members(node, where, ["listen", "token"])
  return { listen: reader.text(at("listen"), path("listen")), token: reader.text(at("token"), path("token")) }
}
