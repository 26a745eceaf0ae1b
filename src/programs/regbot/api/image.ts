/** The table `image` (regbot description, 7.6). */
import { imageConfig } from "./imageconfig.ts"
import { imageCopy } from "./imageCopy.ts"
import { imageMod } from "./imageMod.ts"
import { exportTar, importTar } from "./imageTar.ts"
import { get, getList, head } from "./manifest.ts"
import { ratelimitWait } from "./rateLimit.ts"

export const image = {
  functions: {
    config: imageConfig,
    copy: imageCopy,
    exportTar,
    importTar,
    manifest: get,
    manifestHead: head,
    manifestList: getList,
    mod: imageMod,
    ratelimitWait
  }
}
