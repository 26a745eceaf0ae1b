/** `docker-cli-plugin-metadata`: what docker's command line reads of a plugin, version 0.1.0 of its form. */
import { Console, Effect } from "effect"
import { BuildInfo } from "../../services/BuildInfo.ts"
import { RunningTool } from "../cli/command.ts"

export const run = Effect.fn("docker-cli-plugin-metadata")(function*() {
  const { commit, tag } = yield* BuildInfo
  const { root } = yield* RunningTool
  yield* Console.log(JSON.stringify({
    SchemaVersion: "0.1.0",
    Vendor: "regclient",
    Version: tag === "" ? commit : tag,
    ShortDescription: root.summary
  }))
})
