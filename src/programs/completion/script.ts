/** Prints a completion script for the tool that runs. */
import { Console, Effect } from "effect"
import { RunningTool } from "../cli/command.ts"

export interface ScriptInput {
  readonly noDescriptions: boolean
}

/** Of a tool's name and the hidden command that answers, the text of a script. */
export type Script = (tool: string, request: string) => string

export const printed = (script: Script) =>
  Effect.fn("completion")(function*({ noDescriptions }: ScriptInput) {
    const { root } = yield* RunningTool
    yield* Console.log(script(root.name, noDescriptions ? "__completeNoDesc" : "__complete").trimEnd())
  })
