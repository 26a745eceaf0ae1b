/** All kinds of input, loaded when they are wanted. */
import type { Family } from "./family.ts"

export const families = async (): Promise<ReadonlyArray<Family>> => {
  const { texts } = await import("./texts.ts")
  const { documents } = await import("./documents.ts")
  const { settings } = await import("./settings.ts")
  const { archives } = await import("./archives.ts")
  const { answers } = await import("./http.ts")
  const { wires } = await import("./wire.ts")
  const { layoutPlaces } = await import("./places.ts")
  const { commands } = await import("./commands.ts")
  const { served } = await import("./serve.ts")
  return [
    ...texts,
    ...documents,
    ...settings,
    ...archives,
    ...answers,
    ...served,
    ...wires,
    ...layoutPlaces,
    ...commands
  ]
}
