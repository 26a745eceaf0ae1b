import { Effect } from "effect"
import { Location } from "../../src/schemas/Ref.ts"
import { caching } from "../../src/services/repository/cached.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"
import { repositoryLaws } from "./repository.ts"

repositoryLaws(
  "a repository whose answers are kept",
  Effect.sync(() => {
    const { open } = memoryStore()
    const kept = caching({ count: 100, time: 60_000 })
    return {
      repository: kept(open(Location.Registry({ registry: "memory", repository: "one" }))),
      other: kept(open(Location.Registry({ registry: "memory", repository: "two" })))
    }
  })
)
