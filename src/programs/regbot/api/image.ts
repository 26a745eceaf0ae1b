/** The table `image` (regbot description, 7.6). */
import { imageConfig } from "./imageconfig.ts"
import { imageCopy } from "./imageCopy.ts"
import { imageMod } from "./imageMod.ts"
import { exportTar, importTar } from "./imageTar.ts"

export const image = {
  functions: { config: imageConfig, copy: imageCopy, exportTar, importTar, mod: imageMod }
}
