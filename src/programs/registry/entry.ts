/** The entry of a registry in regctl's configuration file, found by the name a user gives. */
import { Effect } from "effect"
import { compact, type HostEntry, isDefaultEntry, type Named, namedHost } from "../../schemas/HostEntry.ts"
import type { RegctlConfig } from "../../schemas/RegctlConfig.ts"
import { UsageError } from "../../schemas/UsageError.ts"

/** The registry a command is about: its argument, else Docker Hub. */
export const registryOf = ([given = "docker.io"]: ReadonlyArray<string>): string => given === "" ? "docker.io" : given

/** What the name says; fails for one with a path. */
export const named = (given: string): Effect.Effect<Named, UsageError> =>
  Effect.suspend(() => {
    const found = namedHost(given)
    return found === undefined
      ? Effect.fail(new UsageError({ message: `invalid registry name provided: ${given}` }))
      : Effect.succeed(found)
  })

/** Its name and entry, if it has one; a file of the Go tool may hold a name with its scheme. */
export const find = (
  { hosts }: RegctlConfig,
  given: string
): { readonly name: string; readonly entry: HostEntry } | undefined => {
  for (const name of [namedHost(given)?.name ?? given, given]) {
    const entry = hosts.get(name)
    if (entry !== undefined) return { name, entry }
  }
  return undefined
}

/** The configuration with this entry, or without one when it says nothing. */
export const withEntry = (config: RegctlConfig, name: string, entry: HostEntry): RegctlConfig => {
  const hosts = new Map(config.hosts)
  if (isDefaultEntry(name, entry)) hosts.delete(name)
  else hosts.set(name, compact(entry))
  return { ...config, hosts }
}
