/** Everything real: files, registries over HTTP, layouts, output. */
import { Effect, Layer } from "effect"
import { Listener } from "../programs/serve/Listener.ts"
import { Archive } from "../services/Archive.ts"
import { LuaEngine } from "../services/LuaEngine.ts"
import { OciLayout } from "../services/OciLayout.ts"
import * as terminal from "../services/progress/terminal.ts"
import { Repositories } from "../services/Repositories.ts"
import { clients } from "./Clients.ts"
import { local } from "./Local.ts"
import { platform } from "./Platform.ts"
import { registries } from "./Registries.ts"
import { signals } from "./Signals.ts"

/** Loaded when something listens: a server is more code than a client, and most runs are clients. */
const listener = Layer.succeed(
  Listener,
  Listener.of({
    listen: (options) =>
      Effect.flatMap(
        Effect.promise(() => import("./Server.ts")),
        ({ layer }) => Effect.flatMap(Listener, ({ listen }) => listen(options)).pipe(Effect.provide(layer))
      )
  })
)

export const live = Layer.mergeAll(Repositories.layer, terminal.layer, listener, clients, signals, LuaEngine.layer)
  .pipe(
    Layer.provideMerge(Layer.mergeAll(registries, OciLayout.layer, Archive.layer)),
    Layer.provideMerge(Layer.mergeAll(local, platform))
  )
