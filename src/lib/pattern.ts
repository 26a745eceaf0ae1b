/** Regular expressions of users: RE2's syntax, in linear time. The only file with `re2js`. */
import { RE2JS, RE2JSException } from "re2js"

export type Matcher = (text: string) => boolean

/** Whether a text holds a match anywhere. */
export const searching = (expression: string): { readonly matches: Matcher } | { readonly problem: string } => {
  try {
    const compiled = RE2JS.compile(expression)
    return { matches: (text) => compiled.matcher(text).find() }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return { problem: error.message }
  }
}

/** Whether a text matches as a whole. As upstream, an alternation needs a group. */
export const anchored = (expression: string) => searching(`^${expression}$`)
