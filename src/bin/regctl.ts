#!/usr/bin/env node
/** The entry of `regctl`: everything else is loaded once the code cache is on. */
import { launch } from "./launch.ts"

launch(async (args, stop) => {
  const [{ run }, { regctl }] = await Promise.all([import("../layers/run.ts"), import("../programs/regctl/main.ts")])
  return run(regctl, args, stop)
})
