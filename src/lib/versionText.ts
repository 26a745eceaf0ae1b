/** Which build this is, as people read it. Nothing else is loaded for it: to ask for the version is to start a tool. */
import { build, platform, runtime } from "./build.ts"

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

/** Of this build. */
export const versionFacts: VersionFacts = {
  vcsTag: build.tag,
  vcsRef: build.commit,
  vcsCommit: build.commit,
  vcsState: build.state,
  vcsDate: build.date,
  platform,
  goVersion: runtime,
  goCompiler: "v8"
}

/** Two columns, a line for each fact. */
export const versionText = (facts: VersionFacts): string =>
  ([
    ["VCSTag:", facts.vcsTag],
    ["VCSRef:", facts.vcsRef],
    ["VCSCommit:", facts.vcsCommit],
    ["VCSState:", facts.vcsState],
    ["VCSDate:", facts.vcsDate],
    ["Platform:", facts.platform],
    ["GoVer:", facts.goVersion],
    ["GoCompiler:", facts.goCompiler]
  ] as const).map(([label, value]) => `${label.padEnd(12)}${value}\n`).join("")
