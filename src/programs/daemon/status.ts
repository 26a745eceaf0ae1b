/** The status server of a daemon: more code than the rest, loaded where one is wanted. */
import { Effect } from "effect"
import type { ServerSettings } from "../../schemas/ServerSettings.ts"
import type { Daemon } from "./daemon.ts"

/** Listens where the settings say, until the scope ends. */
export const showAs = (tool: string) =>
  Effect.fnUntraced(function*({ listen, token }: ServerSettings, { runNow }: Pick<Daemon, "runNow">) {
    const { watch } = yield* Effect.promise(() => import("../watch/start.ts"))
    const address = yield* watch({ tool, listen, token, runNow })
    yield* Effect.annotateLogs(Effect.logInfo("Status server listening"), { address })
  })

/** A configuration with an address in place of the file's, unless it is empty. */
export const listeningAt = <A extends { readonly config: { readonly server: ServerSettings } }>(
  loaded: A,
  listen: string
) => {
  const { config } = loaded
  return listen === "" ? loaded : { ...loaded, config: { ...config, server: { ...config.server, listen } } }
}
