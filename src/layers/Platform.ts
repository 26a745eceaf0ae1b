/** Files, paths, processes, streams and the terminal of Node. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeStdio from "@effect/platform-node/NodeStdio"

export const platform = NodeServices.layer

/** The standard streams alone, for commands that touch nothing else. */
export const streams = NodeStdio.layer
