/** Files, paths, processes, streams and the terminal of Node. */
import * as NodeServices from "@effect/platform-node/NodeServices"

export const platform = NodeServices.layer
