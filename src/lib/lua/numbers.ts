/** How numbers look as text. Evaluated before all of fengari that copies these settings when it is loaded. */
import { defs } from "./definitions.ts" // a group of its own, to stay in front of the next

import luaconf from "fengari/src/luaconf.js"
import { numberText } from "./numberText.ts"

luaconf["LUA_COMPAT_FLOATSTRING"] = true
luaconf["lua_number2str"] = numberText
// Places for values of calls within calls: enough for 40,000, and bounded memory for those that never end.
luaconf["LUAI_MAXSTACK"] = 250_000

/** The version of the language that fengari speaks: 503. */
export const spoken = defs.LUA_VERSION_NUM
