/** Names of tar entries as paths below a root. */

/** Without `.`, empty parts and slashes at either end; `..` never leads above the root, which is the empty name. */
export const cleanName = (name: string): string => {
  const parts: Array<string> = []
  for (const part of name.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return parts.join("/")
}

/** Whether a clean name is another one, or below it. */
export const isWithin = (name: string, root: string): boolean => name === root || name.startsWith(`${root}/`)
