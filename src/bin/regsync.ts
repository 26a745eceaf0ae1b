#!/usr/bin/env node
/** The entry of `regsync`: everything else is loaded once the code cache is on. */
import { launch } from "./launch.ts"

launch(async (args, stop) => {
  const [{ run }, { regsync }] = await Promise.all([import("../layers/run.ts"), import("../programs/regsync/main.ts")])
  return run(regsync, args, stop)
})
