/**
 * The start of a single executable, in place of `launch.ts`: what most commands use is loaded when the executable is
 * built and comes back with its snapshot. A tool that starts threads has none: threads do not start from it.
 */
import { startupSnapshot } from "node:v8"
import { start } from "./launch.ts"

export { deadline } from "./launch.ts"

/** What is run beforehand: the commonest ways through a tool, down to a request and its answer. */
const lines = [["version"], ["--help"], ["tag", "ls", "--host", "reg=HOST,tls=disabled", "HOST/a"]]

/** Loads what is common to most runs; only modules that keep nothing of this process, its environment or its time. */
const preload = async (tool: Parameters<typeof start>[2]) => {
  const [{ rehearse }] = await Promise.all([
    import("./rehearsal.ts"),
    import("../layers/run.ts"),
    import("../layers/Live.ts"),
    import("../programs/cli/typed.ts"),
    import("../programs/misc/version.ts")
  ])
  await rehearse(await tool(), lines)
}

/** As `launch`. */
export const launch: typeof start = (run, grace, tool) => {
  if (!startupSnapshot.isBuildingSnapshot()) return start(run, grace, tool)
  void preload(tool).then(() => startupSnapshot.setDeserializeMainFunction(() => start(run, grace, tool)))
}
