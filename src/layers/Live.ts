/** Everything real: files, registries over HTTP, layouts, output. */
import { Effect, Layer } from "effect"
import { storeError } from "../schemas/StoreError.ts"
import { OciLayout } from "../services/OciLayout.ts"
import * as terminal from "../services/progress/terminal.ts"
import { RateLimiter } from "../services/RateLimiter.ts"
import { Registry } from "../services/Registry.ts"
import { Repositories } from "../services/Repositories.ts"
import { local } from "./Local.ts"
import { platform } from "./Platform.ts"

const absent = storeError("", "Unsupported", "not wired")

const places = Layer.mergeAll(
  Layer.mock(Registry)({ open: () => Effect.fail(absent) }),
  Layer.mock(OciLayout)({ open: () => Effect.fail(absent) }),
  Layer.mock(RateLimiter)({ admit: () => (effect) => effect })
)

export const live = Layer.mergeAll(
  Repositories.layer.pipe(Layer.provideMerge(places)),
  terminal.layer
).pipe(Layer.provideMerge(Layer.mergeAll(local, platform)))
