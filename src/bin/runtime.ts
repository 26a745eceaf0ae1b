/**
 * The Node that runs the tools: 22.19 or newer. On an older one the Node that a clone brings along as a development
 * dependency takes over; where there is none, one line says what is missing.
 */
const oldest = [22, 19] as const

/** Whether a version such as `20.20.2` is older than what the tools need. */
export const isTooOld = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1])
}

/** Runs this command line by another Node in place of this one: same input and output, signals passed on. */
export const runByPinned = async (): Promise<void> => {
  // Loaded here, because the Node that is new enough has no use for them.
  const [{ spawn }, { existsSync }, { fileURLToPath }] = await Promise.all([
    import("node:child_process"),
    import("node:fs"),
    import("node:url")
  ])
  const pinned = ["../node_modules/node/bin/node", "../../node_modules/node/bin/node"]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path))
  if (pinned === undefined) {
    process.stderr.write(`Node ${oldest.join(".")} or newer is needed, this is ${process.versions.node}\n`)
    process.exitCode = 1
    return
  }
  const child = spawn(pinned, process.argv.slice(1), { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal))
  child.once("exit", (status) => process.exit(status ?? 1))
}
