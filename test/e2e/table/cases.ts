/** All cases of the table. */
import type { Case } from "./case.ts"
import { artifactGet } from "./cases/artifactGet.ts"
import { artifactList, artifactTree } from "./cases/artifactList.ts"
import { artifactPut } from "./cases/artifactPut.ts"
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
  ...artifactGet,
  ...artifactList,
  ...artifactTree,
  ...artifactPut,
  ...blob,
  ...image,
  ...tar,
  ...edit,
  ...index,
  ...manifest,
  ...tag,
  ...registry
]
