/** Signals of this process that ask for something other than its end. */

/** A timer's longest time in milliseconds. */
const long = 2 ** 31 - 1

/**
 * Calls a listener for each. Until the returned function is called the platform's own answer to the signal is off, and
 * the process stays alive to hear it though nothing else is to be done.
 */
export const onSignal = (name: "SIGHUP" | "SIGUSR1", listener: () => void): () => void => {
  const alive = setInterval(() => {}, long)
  process.on(name, listener)
  return () => {
    clearInterval(alive)
    process.off(name, listener)
  }
}
