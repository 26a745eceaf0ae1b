/** The standard streams of Node alone, for commands that touch nothing else: files and processes are not loaded. */
import * as NodeStdio from "@effect/platform-node/NodeStdio"

export const streams = NodeStdio.layer
