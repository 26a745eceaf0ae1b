/** Text from outside without the secrets that addresses in it may carry. Linear in the length of the text. */

/** User info of every address and what follows its question mark become `[censored]`. */
export const uncredentialed = (text: string): string =>
  text.replace(/\/\/[^/?#\s"']*@/g, "//[censored]@").replace(/[^\s"'<>]+/g, (word) => {
    const scheme = word.indexOf("://")
    const query = scheme < 1 ? -1 : word.indexOf("?", scheme)
    return query < 0 ? word : `${word.slice(0, query)}?[censored]`
  })
