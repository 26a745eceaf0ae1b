#!/usr/bin/env node
/**
 * The entry of `regctl`: everything else is loaded once the code cache is on. Linked as `docker-regctl` it is a plugin
 * of the docker command line.
 */
import { basename } from "node:path"
import { deadline, launch } from "./launch.ts"

/** The tool itself. */
const tool = () => import("../programs/regctl/main.ts").then(({ regctl }) => regctl)

/** Requests at work may end: half a minute for them, then the rest. */
const servingGrace = 35_000

launch(
  async (args, stop) => {
    const [{ run }, regctl] = await Promise.all([import("../layers/run.ts"), tool()])
    const plugin = /^docker-([a-z0-9]+)(?:\.js)?$/.exec(basename(process.argv[1] ?? ""))?.[1]
    if (plugin === undefined) return run(regctl, args, stop)
    const { asPlugin, callOf } = await import("../programs/docker/plugin.ts")
    const call = callOf(plugin, args)
    if (call.dockerConfig !== undefined) process.env["DOCKER_CONFIG"] = call.dockerConfig
    return run(asPlugin(regctl, plugin), call.args, stop)
  },
  (args) => args.includes("serve") ? servingGrace : deadline,
  tool
)
