/** The inner modules of fengari, loaded in an order that their circles bear, behind what is copied from strings. */
import { isCounted } from "./strings.ts" // a group of its own, to stay in front of the next

import lapi from "fengari/src/lapi.js"

if (!isCounted) throw new Error("fengari came before its patches")

export { lapi }
