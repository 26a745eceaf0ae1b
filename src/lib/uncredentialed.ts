/** Text from outside without the secrets that addresses in it may carry. */

/** User info of every address and what follows its question mark become `[censored]`. */
export const uncredentialed = (text: string): string =>
  text
    .replace(/\/\/[^/?#\s"']*@/g, "//[censored]@")
    .replace(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s?"'<>]*)\?[^\s"'<>]*/gi, "$1?[censored]")
