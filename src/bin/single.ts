/**
 * The start of a single executable, in place of `launch.ts`: what most commands use is loaded when the executable is
 * built and comes back with its snapshot; the process begins with `launch`.
 */
import { startupSnapshot } from "node:v8"
import * as usual from "./launch.ts"

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

/** As `launch`, once the process runs. */
export const launch = (...[run, grace]: Parameters<typeof usual.launch>): void => {
  void preload().then(() => startupSnapshot.setDeserializeMainFunction(() => usual.launch(run, grace)))
}
