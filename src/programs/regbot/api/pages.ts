/** The options of lists (regbot description, 7.3). */
import type { LuaTable } from "../../../lib/lua/border.ts"
import type { PageRequest } from "../../../services/Repository.ts"

/** Names that are asked for at most: more than registries understand as a number is no number to them. */
const most = 2 ** 31 - 1

/** Values of other types count as not given. */
export const pageRequest = (options: LuaTable | undefined): PageRequest => {
  const limit = options?.fields.get("limit")
  const last = options?.fields.get("last")
  return {
    ...(typeof limit === "number" && Number.isFinite(limit) ? { limit: Math.min(Math.trunc(limit), most) } : {}),
    ...(typeof last === "string" && last !== "" ? { last } : {})
  }
}
