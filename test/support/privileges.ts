/** What some tests need of the machine: a developer's may lack it, the machine that decides about a change may not. */

/** Skips a test that cannot run here, and says why; fails it where skipping would hide something. */
export const unable = (context: { readonly skip: (why: string) => never }, why: string): never => {
  if (process.env["REGCLIENT_TEST_REPORT"] !== undefined) throw new Error(`this test needs more than there is: ${why}`)
  return context.skip(why)
}
