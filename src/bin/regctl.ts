#!/usr/bin/env node
/** The entry of `regctl`: everything else is loaded once the code cache is on. */
import { deadline, launch } from "./launch.ts"

/** Requests at work may end: half a minute for them, then the rest. */
const servingGrace = 35_000

launch(async (args, stop) => {
  const [{ run }, { regctl }] = await Promise.all([import("../layers/run.ts"), import("../programs/regctl/main.ts")])
  return run(regctl, args, stop)
}, (args) => args.includes("serve") ? servingGrace : deadline)
