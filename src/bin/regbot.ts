#!/usr/bin/env node
/** The entry of `regbot`: everything else is loaded once the code cache is on. */
import { launch } from "./launch.ts"

launch(async (args, stop) => {
  const [{ run }, { regbot }] = await Promise.all([import("../layers/run.ts"), import("../programs/regbot/main.ts")])
  return run(regbot, args, stop)
})
