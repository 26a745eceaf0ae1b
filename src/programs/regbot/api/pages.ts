/** The options of lists (regbot description, 7.3): values of other types count as not given. */
import type { LuaTable } from "../../../lib/lua/border.ts"
import type { PageRequest } from "../../../services/Repository.ts"

export const pageRequest = (options: LuaTable | undefined): PageRequest => {
  const limit = options?.fields.get("limit")
  const last = options?.fields.get("last")
  return {
    ...(typeof limit === "number" && Number.isFinite(limit) ? { limit: Math.trunc(limit) } : {}),
    ...(typeof last === "string" && last !== "" ? { last } : {})
  }
}
