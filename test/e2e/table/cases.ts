/** All cases of the table. */
import type { Case } from "./case.ts"
import { artifact } from "./cases/artifact.ts"
import { blob } from "./cases/blob.ts"
import { completion } from "./cases/completion.ts"
import { edit } from "./cases/edit.ts"
import { format } from "./cases/format.ts"
import { global } from "./cases/global.ts"
import { image } from "./cases/image.ts"
import { index } from "./cases/index.ts"
import { manifest } from "./cases/manifest.ts"
import { registry } from "./cases/registry.ts"
import { tag } from "./cases/tag.ts"
import { tar } from "./cases/tar.ts"

export const cases: ReadonlyArray<Case> = [
  ...global,
  ...format,
  ...completion,
  ...artifact,
  ...blob,
  ...image,
  ...tar,
  ...edit,
  ...index,
  ...manifest,
  ...tag,
  ...registry
]
