/** Chunks of Lua run in the thread of the test, with what they print. */
import { type EndingGuard, makeGuard } from "../../../src/lib/lua/guard.ts"
import { newState, type Raised, runSource } from "../../../src/lib/lua/state.ts"

export interface Run {
  readonly output: string
  readonly raised: Raised | undefined
  readonly guard: EndingGuard
}

export interface Circumstances {
  /** Checks of the guard after which the time is over. */
  readonly checks?: number
  /** Of the thread, after which the time is over too. */
  readonly milliseconds?: number
  readonly memory?: number
  readonly used?: () => number
  readonly isSandboxed?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

/** The text of the error that ends a script whose time is over. */
export const overText = "Context error: context deadline exceeded"

export const run = (source: string | Uint8Array, circumstances: Circumstances = {}): Run => {
  const { checks = Number.POSITIVE_INFINITY, environment = {}, isSandboxed = false, memory, used } = circumstances
  const { milliseconds = Number.POSITIVE_INFINITY } = circumstances
  const began = process.cpuUsage().user
  const releases = new Set<() => void>()
  const written: Array<Uint8Array> = []
  let checked = 0
  const guard = makeGuard({
    isOver: () => ++checked > checks || process.cpuUsage().user - began > milliseconds * 1000 ? overText : undefined,
    ...(memory === undefined ? {} : { memory }),
    ...(used === undefined ? {} : { used })
  })
  const L = newState({
    guard,
    write: (_, bytes) => written.push(bytes),
    flush: () => {},
    exit: (status) => {
      throw new Error(`exit ${status}`)
    },
    isSandboxed,
    environment: new Map(Object.entries({ PATH: process.env["PATH"] ?? "", ...environment })),
    releases
  })
  const raised = runSource(L, typeof source === "string" ? new TextEncoder().encode(source) : source)
  for (const release of releases) release()
  return { output: Buffer.concat(written).toString(), raised, guard }
}

/** What a chunk prints, without the end of its last line; what it raises fails the test. */
export const printed = (source: string, circumstances: Circumstances = {}): string => {
  const { output, raised } = run(source, circumstances)
  if (raised !== undefined) throw new Error(raised.message)
  return output.replace(/\n$/, "")
}

/** The text of what a chunk raises. */
export const raisedBy = (source: string | Uint8Array): string | undefined => run(source).raised?.message
