/**
 * Where the circle of fengari's modules is entered, once what they copy is set. Nothing else is imported here: a bundler
 * has its own order for the imports of one module.
 */
import { isCounted } from "./strings.ts" // a group of its own, to stay in front of the next

import lapi from "fengari/src/lapi.js"

/** Used by whoever needs the circle to be whole. */
export const isEntered = isCounted && lapi !== undefined
