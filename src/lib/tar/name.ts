/** Names of tar entries as paths below a root. */

/** Its steps without `.` and empty ones; `..` never leads above the root, which has none. */
export const partsOf = (name: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  for (const part of name.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return parts
}

/** The one spelling of a name, empty for the root. */
export const cleanName = (name: string): string => partsOf(name).join("/")

/** Whether a clean name is another one, or below it. */
export const isWithin = (name: string, root: string): boolean => name === root || name.startsWith(`${root}/`)
