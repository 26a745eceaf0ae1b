/** Signals of this process that ask for something other than its end. */

/** Calls a listener for each; the platform's own answer to the signal is off until the returned function is called. */
export const onSignal = (name: "SIGHUP" | "SIGUSR1", listener: () => void): () => void => {
  process.on(name, listener)
  return () => void process.off(name, listener)
}
