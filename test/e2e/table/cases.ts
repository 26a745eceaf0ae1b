/** All cases of the table. */
import type { Case } from "./case.ts"
import { blob } from "./cases/blob.ts"
import { global } from "./cases/global.ts"
import { image } from "./cases/image.ts"
import { manifest } from "./cases/manifest.ts"
import { registry } from "./cases/registry.ts"
import { tag } from "./cases/tag.ts"

export const cases: ReadonlyArray<Case> = [...global, ...blob, ...image, ...manifest, ...tag, ...registry]
