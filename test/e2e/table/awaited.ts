/** Commands of the page that the tool lacks: their cases wait. */
export const awaited: ReadonlyArray<string> = [
  "artifact get",
  "artifact list",
  "artifact put",
  "artifact tree",
  "image export",
  "image import",
  "image mod"
]
