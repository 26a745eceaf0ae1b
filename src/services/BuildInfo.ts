/** Which build this is and what it runs on. Version and commit are put in when it is bundled. */
import { Context, Layer } from "effect"
import { build, platform, runtime } from "../lib/build.ts"

export interface BuildInformation {
  /** The version's tag; empty when there is none. */
  readonly tag: string
  /** The commit and the state of the work tree; `unknown` where nobody recorded them. */
  readonly ref: string
  readonly commit: string
  readonly state: string
  /** RFC 3339, UTC. */
  readonly date: string
  /** Go's names: `linux/amd64`. */
  readonly platform: string
  /** `node v26.10.0`. */
  readonly runtime: string
}

export class BuildInfo extends Context.Service<BuildInfo, BuildInformation>()("regclient/services/BuildInfo") {
  static readonly layer = Layer.succeed(
    BuildInfo,
    BuildInfo.of({
      tag: build.tag,
      ref: build.commit,
      commit: build.commit,
      state: build.state,
      date: build.date,
      platform,
      runtime
    })
  )
}
