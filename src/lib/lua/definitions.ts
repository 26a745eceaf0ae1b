/** fengari's definitions by themselves: they are in a circle with its settings, and have to come first. */
import defs from "fengari/src/defs.js"

/** Bundlers may turn the order of a file's imports of CommonJS around: each that matters has a file of its own. */
export { defs }
