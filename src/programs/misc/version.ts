/** `version` of every tool: which build this is. */
import { Effect } from "effect"
import { BuildInfo } from "../../services/BuildInfo.ts"
import { Formatter } from "../../services/Formatter.ts"
import { versionView } from "../views/version.ts"

interface Input {
  readonly format: string
}

export const run = Effect.fn("version")(function*({ format }: Input) {
  const { commit, date, platform, ref, runtime, state, tag } = yield* BuildInfo
  const view = versionView({
    vcsTag: tag,
    vcsRef: ref,
    vcsCommit: commit,
    vcsState: state,
    vcsDate: date,
    platform,
    goVersion: runtime,
    goCompiler: "v8"
  })
  yield* (yield* Formatter).write(format, view)
})
