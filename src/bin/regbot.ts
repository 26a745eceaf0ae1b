#!/usr/bin/env node
/** The entry of `regbot`: everything else is loaded once the code cache is on. */
import { setFlagsFromString } from "node:v8"
import { deadline, launch } from "./launch.ts"

/** The tool itself. */
const tool = () => import("../programs/regbot/main.ts").then(({ regbot }) => regbot)

/** Copies at work give back what they hold: half a minute for them, then the rest (faults P02). */
const servingGrace = 35_000

launch(
  async (args, stop) => {
    // Percent by which the heap grows before it is swept: left alone it takes four times what it needs, and a server
    // stays.
    if (args.includes("server")) setFlagsFromString("--heap-growing-percent=40")
    const [{ run }, regbot] = await Promise.all([import("../layers/run.ts"), tool()])
    return run(regbot, args, stop)
  },
  (args) => args.includes("server") ? servingGrace : deadline,
  tool
)
