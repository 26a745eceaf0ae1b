/** Regular expressions of users: RE2's syntax, in linear time, bound to beginning and end. The only file with `re2js`. */
import { RE2JS, RE2JSException } from "re2js"

/** Whether a text matches as a whole. As upstream, an alternation needs a group. */
export type Matcher = (text: string) => boolean

export const anchored = (expression: string): { readonly matches: Matcher } | { readonly problem: string } => {
  const bound = `^${expression}$`
  try {
    const compiled = RE2JS.compile(bound)
    return { matches: (text) => compiled.matcher(text).find() }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return { problem: error.message }
  }
}
