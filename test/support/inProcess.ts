/** `regctl` in this process, over everything real but the clock, whose time passes faster, and its output, which is kept. */
import { Clock, ConfigProvider, Console, Duration, Effect, Layer, Sink, Stdio, Stream } from "effect"
import { live } from "../../src/layers/Live.ts"
import * as Logging from "../../src/layers/Logging.ts"
import type { Tool } from "../../src/programs/cli/command.ts"
import { main } from "../../src/programs/cli/main.ts"
import { regctl as tool } from "../../src/programs/regctl/main.ts"
import { BuildInfo } from "../../src/services/BuildInfo.ts"
import { Formatter } from "../../src/services/Formatter.ts"
import type { Ran } from "./programs.ts"

/** Waits take a fraction of their time; the network has its own clock. */
const hurried = (times: number): Clock.Clock => {
  const start = Date.now()
  const now = () => start + (Date.now() - start) * times
  const nanos = () => BigInt(Math.round(performance.now() * times * 1e6))
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: () => BigInt(Math.round(now())) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now())) * 1_000_000n),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback((resume) => {
        const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(duration) / times)
        return Effect.sync(() => clearTimeout(timer))
      })
  }
}

export interface Circumstances {
  /** Path of the configuration file. */
  readonly config: string
  /** How many times faster the tool's clock goes. */
  readonly times?: number
  /** Other variables of the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** What stands on standard input. */
  readonly input?: string
}

/** Runs `regctl` once: a new world each time, as a process would have it. */
export const regctlHere = (args: ReadonlyArray<string>, circumstances: Circumstances): Promise<Ran> =>
  toolHere(tool, args, circumstances)

/** Runs any of the tools once. */
export const toolHere = (
  tool: Tool,
  args: ReadonlyArray<string>,
  { config, env = {}, input = "", times = 50 }: Circumstances
): Promise<Ran> => {
  const [out, err]: [Array<string>, Array<string>] = [[], []]
  const log = (...words: ReadonlyArray<unknown>) => void out.push(`${words.join(" ")}\n`)
  const error = (...words: ReadonlyArray<unknown>) => void err.push(`${words.join(" ")}\n`)
  const written = Sink.forEach((part: string | Uint8Array) =>
    Effect.sync(() => void out.push(typeof part === "string" ? part : new TextDecoder().decode(part)))
  )
  const streams = Stdio.layerTest({
    stdin: input === "" ? Stream.empty : Stream.make(new TextEncoder().encode(input)),
    stdout: () => written
  })
  const everything = Layer.mergeAll(
    live,
    Layer.fresh(Formatter.layer).pipe(Layer.provideMerge(Layer.mergeAll(BuildInfo.layer, streams)))
  )
  return Effect.runPromise(
    main(tool, {
      logging: Logging.layer,
      local: () =>
        Promise.resolve(
          Layer.fresh(Formatter.layer).pipe(Layer.provideMerge(Layer.mergeAll(BuildInfo.layer, streams)))
        ),
      everything: () => Promise.resolve(everything),
      stop: Effect.never
    })(args).pipe(
      Effect.provideService(Clock.Clock, hurried(times)),
      Effect.provideService(Console.Console, { ...globalThis.console, log, error }),
      Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({
          REGCTL_CONFIG: config,
          HOME: "/nonexistent",
          REGCLIENT_TRANSPORT: process.env["REGCLIENT_TRANSPORT"] ?? "",
          ...env
        })
      ),
      Effect.map((code) => ({ code, out: out.join(""), err: err.join("") }))
    )
  )
}
