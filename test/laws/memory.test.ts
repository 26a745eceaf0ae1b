import { Effect } from "effect"
import { Location } from "../../src/schemas/Ref.ts"
import { memoryStore } from "../../src/services/repository/memory.ts"
import { repositoryLaws } from "./repository.ts"

repositoryLaws(
  "a repository in memory",
  Effect.sync(() => {
    const { open } = memoryStore()
    return {
      repository: open(Location.Registry({ registry: "memory", repository: "one" })),
      other: open(Location.Registry({ registry: "memory", repository: "two" }))
    }
  })
)
