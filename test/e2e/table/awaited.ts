/** Commands of the page that the tool lacks: their cases wait. */
export const awaited: ReadonlyArray<string> = []
