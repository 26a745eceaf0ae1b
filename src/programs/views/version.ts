/** What is known of this build, as templates see it. */
import { Struct } from "../../lib/gotemplate/value.ts"
import { jsonObject, jsonString } from "../../lib/json.ts"
import { columns } from "./pretty.ts"

export interface VersionFacts {
  readonly vcsTag: string
  readonly vcsRef: string
  readonly vcsCommit: string
  readonly vcsState: string
  readonly vcsDate: string
  readonly platform: string
  readonly goVersion: string
  readonly goCompiler: string
}

export const versionView = (facts: VersionFacts): Struct => {
  const { goCompiler, goVersion, platform, vcsCommit, vcsDate, vcsRef, vcsState, vcsTag } = facts
  return new Struct("version.Info", {
    GoVer: goVersion,
    GoCompiler: goCompiler,
    Platform: platform,
    VCSCommit: vcsCommit,
    VCSDate: vcsDate,
    VCSRef: vcsRef,
    VCSState: vcsState,
    VCSTag: vcsTag,
    Debug: undefined
  }, {
    json: () =>
      jsonObject(
        ([
          "goVersion",
          "goCompiler",
          "platform",
          "vcsCommit",
          "vcsDate",
          "vcsRef",
          "vcsState",
          "vcsTag"
        ] as const).map((key) => [key, jsonString(facts[key])])
      ),
    pretty: () =>
      columns([
        ["VCSTag:", vcsTag],
        ["VCSRef:", vcsRef],
        ["VCSCommit:", vcsCommit],
        ["VCSState:", vcsState],
        ["VCSDate:", vcsDate],
        ["Platform:", platform],
        ["GoVer:", goVersion],
        ["GoCompiler:", goCompiler]
      ])
  })
}
