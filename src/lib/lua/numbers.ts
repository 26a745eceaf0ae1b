/** How numbers look as text. Evaluated before all of fengari that copies these settings when it is loaded. */
import defs from "fengari/src/defs.js" // before luaconf, which it is in a circle with
import luaconf from "fengari/src/luaconf.js"
import { numberText } from "./numberText.ts"

luaconf["LUA_COMPAT_FLOATSTRING"] = true
luaconf["lua_number2str"] = numberText

/** The version of the language that fengari speaks: 503. */
export const spoken = defs["LUA_VERSION_NUM"]
