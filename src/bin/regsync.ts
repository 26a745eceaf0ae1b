#!/usr/bin/env node
/** The entry of `regsync`: everything else is loaded once the code cache is on. */
import { setFlagsFromString } from "node:v8"
import { deadline, launch } from "./launch.ts"

/** The tool itself. */
const tool = () => import("../programs/regsync/main.ts").then(({ regsync }) => regsync)

/** Copies at work give back what they hold: half a minute for them, then the rest (faults P02). */
const servingGrace = 35_000

launch(
  async (args, stop) => {
    // Percent by which the heap grows before it is swept: left alone it takes four times what it needs, and a server
    // stays.
    if (args.includes("server")) setFlagsFromString("--heap-growing-percent=40")
    const [{ run }, regsync] = await Promise.all([import("../layers/run.ts"), tool()])
    return run(regsync, args, stop)
  },
  (args) => args.includes("server") ? servingGrace : deadline,
  tool
)
