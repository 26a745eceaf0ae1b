/** What is known of this build, as templates see it. */
import { Struct } from "../../lib/gotemplate/value.ts"
import { jsonObject, jsonString } from "../../lib/json.ts"
import { type VersionFacts, versionText } from "../../lib/versionText.ts"

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
    pretty: () => versionText(facts)
  })
}
