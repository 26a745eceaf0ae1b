/**
 * One run of a docker credential helper: a process of its own group, the server's name on stdin, JSON from stdout
 * (library description, section 6; faults A01 to A04, P05). What it prints is never shown.
 */
import { Context, Data, Effect, Option, Redacted, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import type { Credential } from "../Credentials.ts"

export class HelperError extends Data.TaggedError("HelperError")<{
  readonly reason: "CredHelperFailed" | "CredHelperTimeout" | "CredInvalid"
  readonly message: string
}> {}

/** Milliseconds until a helper is killed with all it started (faults A02). */
export const HelperTimeout = Context.Reference<number>("regclient/services/credentials/HelperTimeout", {
  defaultValue: () => 30_000
})

/** Bytes of an answer (faults A03). */
const limit = 1024 * 1024

const Answer = Schema.fromJsonString(Schema.Struct({ Username: Schema.String, Secret: Schema.String }))
const decodeAnswer = Schema.decodeUnknownOption(Answer)

const failed = (message: string, reason: HelperError["reason"] = "CredHelperFailed") =>
  Effect.fail(new HelperError({ reason: reason, message }))

/** Asks `program` for the login at `server`; none when it has none. */
export const askHelper = Effect.fn("credentials.askHelper")(function*(program: string, server: string) {
  // oxlint-disable-next-line no-control-regex -- the characters a name must not have
  if (program === "" || /[\u0000-\u001f\u007f]/.test(program) || /[\u0000-\u001f\u007f]/.test(server)) {
    return yield* failed("control character in the name of the helper or host", "CredInvalid")
  }
  const answered = yield* run(program, server).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", ({ reason }) => failed(reasons[reason._tag] ?? "ended by a signal")),
    Effect.timeoutOrElse({
      duration: yield* HelperTimeout,
      orElse: () => failed("no answer in time", "CredHelperTimeout")
    })
  )
  const text = Option.getOrUndefined(textOf(answered.output))
  if (answered.code !== 0) {
    if (text !== undefined && /credentials not found/i.test(text)) return Option.none<Credential>()
    return yield* failed(`exit status ${answered.code}`)
  }
  const answer = Option.getOrUndefined(decodeAnswer(text))
  if (answer === undefined) return yield* failed("its answer is not understood")
  if (answer.Secret === "") return yield* failed("its answer has no secret")
  return Option.some(credentialOf(answer, program))
})

const run = Effect.fnUntraced(function*(program: string, server: string) {
  const { spawn } = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawn(
    ChildProcess.make(program, ["get"], {
      stdin: Stream.make(new TextEncoder().encode(server)),
      stderr: "inherit",
      killSignal: "SIGKILL"
    })
  )
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(child.stdout, (part) => {
    parts.push(part)
    size += part.length
    return size > limit ? failed(`answer longer than ${limit} bytes`) : Effect.void
  })
  return { output: joined(parts, size), code: Number(yield* child.exitCode) }
})

const joined = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const textOf = Option.liftThrowable((bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes))

const reasons: Readonly<Record<string, string>> = { NotFound: "not found", PermissionDenied: "permission denied" }

const credentialOf = ({ Secret, Username }: { readonly Username: string; readonly Secret: string }, source: string) =>
  Username === "<token>"
    ? { username: "", password: Redacted.make(""), identityToken: Redacted.make(Secret), source }
    : { username: Username, password: Redacted.make(Secret), source }
