/**
 * The start of a single executable, in place of `launch.ts`: what most commands use is loaded when the executable is
 * built and comes back with its snapshot. A tool that starts threads has none: threads do not start from it.
 */
import { startupSnapshot } from "node:v8"
import { start } from "./launch.ts"

export { deadline } from "./launch.ts"

/** Loads what is common to most runs; only modules that keep nothing of this process, its environment or its time. */
const preload = () =>
  Promise.all([
    import("../layers/run.ts"),
    import("../layers/Local.ts"),
    import("../layers/Live.ts"),
    import("../programs/cli/typed.ts"),
    import("../programs/misc/version.ts")
  ])

/** As `launch`. */
export const launch: typeof start = (run, grace) => {
  if (!startupSnapshot.isBuildingSnapshot()) return start(run, grace)
  void preload().then(() => startupSnapshot.setDeserializeMainFunction(() => start(run, grace)))
}
