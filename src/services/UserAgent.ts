/** How we name ourselves to registries: what the user asked for, else the tool's name and version. */
import { Context, Effect } from "effect"
import { Globals } from "./Globals.ts"

/** The tool's own name, such as `regclient/regctl (v1.2.3)`; set where the tools are put together. */
export const ToolName = Context.Reference<string>("regclient/services/UserAgent/ToolName", {
  defaultValue: () => "regclient/regctl"
})

/** Without anything that could not stand in a header. */
export const userAgent: Effect.Effect<string> = Effect.withFiber((fiber) => {
  const given = fiber.getRef(Globals).userAgent
  return Effect.succeed((given === "" ? fiber.getRef(ToolName) : given).replace(/[^\x20-\x7e]/g, ""))
})
