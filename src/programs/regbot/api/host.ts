/** What scripts can call (regbot description, 5.3). */
import type { FileSystem, Path, Stdio } from "effect"
import type { Archive } from "../../../services/Archive.ts"
import type { Host } from "../../../services/LuaEngine.ts"
import type { Progress } from "../../../services/Progress.ts"
import type { RateLimiter } from "../../../services/RateLimiter.ts"
import type { Registry } from "../../../services/Registry.ts"
import type { Repositories } from "../../../services/Repositories.ts"
import type { SyncEvents } from "../../../services/SyncEvents.ts"
import { writeOutput } from "../output.ts"
import type { ScriptRun } from "../ScriptRun.ts"
import { artifact } from "./artifact.ts"
import { blob } from "./blob.ts"
import { image } from "./image.ts"
import { imageconfig } from "./imageconfig.ts"
import { log } from "./log.ts"
import { manifest } from "./manifest.ts"
import { reference } from "./reference.ts"
import { repo } from "./repo.ts"
import { tag } from "./tag.ts"

/** What the functions of scripts need. */
export type Needs =
  | Archive
  | FileSystem.FileSystem
  | Path.Path
  | Progress
  | RateLimiter
  | Registry
  | Repositories
  | ScriptRun
  | Stdio.Stdio
  | SyncEvents

export const hostOf: Host<Needs> = {
  functions: { log },
  libraries: { artifact, blob, image, imageconfig, manifest, reference, repo, tag },
  write: writeOutput
}
