/** The status page's script, whole. It is text, because it is for a browser and its policy names its hash. */
import { live } from "./live.ts"
import { rows } from "./rows.ts"
import { texts } from "./texts.ts"

export const script = `"use strict";(() => {${texts}${rows}${live}})()`
