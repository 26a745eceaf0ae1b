/** `blob.get`, `blob.head`, `blob.put`, and the methods of blobs (regbot description, 7.8 and 13, rows 1, 3 and 4). */
import { Effect } from "effect"
import { compactJson } from "../../../lib/json.ts"
import { type HostAnswer, type HostFailure, type LuaValue, typeOf } from "../../../lib/lua/border.ts"
import { computeDigest } from "../../../schemas/computeDigest.ts"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import { digestProblem, isDigest } from "../../../schemas/Digest.ts"
import { mediaTypes } from "../../../schemas/MediaType.ts"
import { commonName, isSameStore, type Ref } from "../../../schemas/Ref.ts"
import { type StoreError, storeError } from "../../../schemas/StoreError.ts"
import { collect, fromBytes } from "../../../services/Bytes.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import { SweepAtEnd } from "../../../services/OciLayout.ts"
import { WillWrite } from "../../../services/Registry.ts"
import { transfer } from "../../copy/transfer.ts"
import { exists } from "../../missing.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, textArgument, wrongArgument } from "./arguments.ts"
import { failed } from "./failures.ts"
import { debug, debugOfWrite } from "./logged.ts"
import { type BlobState, objectOf, stateOf } from "./objects.ts"

type Run = Effect.Effect<HostAnswer, HostFailure, ScriptRun>

/** Bytes that `b:read()` gives at most, unless it is told. */
const readLimit = 4 * 1024 * 1024
/** Bytes that it gives however it is told: more than a script may have in memory. */
const mostRead = 512 * 1024 * 1024

/** Whether the blob is there; its content is asked for when it is needed, so that no connection waits (13, row 10). */
const look = (ref: Ref, digest: string): Run =>
  Effect.gen(function*() {
    const { open } = yield* ScriptRun
    const name = commonName(ref)
    yield* debug("Retrieve blob", { ref: name, digest })
    const head = Effect.gen(function*() {
      if (!isDigest(digest)) {
        return yield* storeError("", "DigestInvalid", digestProblem(digest) ?? "invalid checksum digest format")
      }
      const repository = yield* open(ref.location)
      return yield* repository.headBlob({ mediaType: mediaTypes.octetStream, digest, size: 0 })
    })
    const { descriptor } = yield* Effect.mapError(
      head,
      failed(`Failed retrieving "${name}" blob "${digest}"`)
    )
    return { values: [objectOf("blob", { ref, descriptor })] }
  })

const lookUp: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const ref = yield* refArgument(args[0], 1)
      const digest = args[1] === undefined ? ref.digest ?? "" : yield* textArgument(args[1], 2)
      return yield* look(ref, digest)
    })
}

/** The same once more: as a method, of the blob itself. */
const again: HostFunction<ScriptRun> = {
  run: (...args) => Effect.flatMap(self(args), ({ descriptor, ref }) => look(ref, descriptor.digest))
}

const self = ([value]: ReadonlyArray<LuaValue>): Effect.Effect<BlobState, HostFailure> => {
  const state = stateOf("blob", value)
  return state === undefined
    ? Effect.fail(wrongArgument(1, `blob expected, got ${typeOf(value)}`))
    : Effect.succeed(state)
}

const answer = ({ digest, size }: Pick<Descriptor, "digest" | "size">): HostAnswer => ({ values: [digest, size] })

const putAt = (ref: Ref, write: Effect.Effect<Pick<Descriptor, "digest" | "size">, StoreError, ScriptRun>): Run =>
  Effect.gen(function*() {
    yield* debugOfWrite("Put blob", { ref: commonName(ref) })
    return answer(yield* Effect.mapError(write, failed("Failed to put blob")))
  })

/** A sweep of a layout would take the blob away again: no manifest names it yet. */
const openTarget = ({ location }: Ref) =>
  Effect.flatMap(ScriptRun, ({ open }) => open(location)).pipe(
    Effect.provideService(WillWrite, true),
    Effect.provideService(SweepAtEnd, false)
  )

const putBytes = Effect.fnUntraced(function*(ref: Ref, bytes: Uint8Array) {
  const repository = yield* openTarget(ref)
  const descriptor = { mediaType: mediaTypes.octetStream, digest: computeDigest("sha256", bytes), size: bytes.length }
  return yield* repository.putBlob(fromBytes(bytes), descriptor)
})

/** By the cheapest way there is: there already, mounted, or sent as it comes. */
const putBlob = Effect.fnUntraced(function*(ref: Ref, { descriptor, ref: source }: BlobState) {
  const { open } = yield* ScriptRun
  const to = yield* openTarget(ref)
  if (yield* exists(to.headBlob(descriptor))) return descriptor
  const isMounted = isSameStore(source.location, ref.location) && (yield* to.mountBlob(descriptor, source.location))
  if (!isMounted) yield* transfer(yield* open(source.location), to, descriptor, { bytes: 0 })
  return descriptor
})

const put: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const ref = yield* refArgument(args[0], 1)
      const content = args[1]
      const blob = stateOf("blob", content)
      if (blob !== undefined) return yield* putAt(ref, putBlob(ref, blob))
      const bytes = bytesOf(content)
      return bytes === undefined
        ? yield* Effect.fail(wrongArgument(2, "blob content expected"))
        : yield* putAt(ref, putBytes(ref, bytes))
    })
}

const bytesOf = (content: LuaValue): Uint8Array | undefined => {
  if (typeof content === "string") return new TextEncoder().encode(content)
  if (content instanceof Uint8Array) return content
  const config = stateOf("imageconfig", content)
  return config === undefined
    ? undefined
    : new TextEncoder().encode(compactJson(new TextDecoder().decode(config.body), { escapeHtml: true }))
}

const methodPut: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const blob = yield* self(args)
      const ref = yield* refArgument(args[1], 2)
      return yield* putAt(ref, putBlob(ref, blob))
    })
}

/** Only what fits the digest is given to a script (faults C01); what came wrong is asked for once more. */
const read: HostFunction<ScriptRun> = {
  run: (...args) =>
    Effect.gen(function*() {
      const { descriptor, ref } = yield* self(args)
      const limit = yield* limitOf(args[1])
      const { open } = yield* ScriptRun
      const content = Effect.gen(function*() {
        const repository = yield* open(ref.location)
        if (descriptor.size > limit) return yield* tooLarge(limit)
        const bytes = collect(repository.blob(descriptor), limit)
        return yield* Effect.catchReason(bytes, "StoreError", "DigestMismatch", () => bytes)
      })
      const name = `"${commonName(ref)}" blob "${descriptor.digest}"`
      // A part of a buffer of many would take all of it along.
      return { values: [new Uint8Array(yield* Effect.mapError(content, failed(`Failed retrieving ${name}`)))] }
    })
}

const tooLarge = (limit: number) => storeError("", "SizeLimit", `size limit exceeded: more than ${limit} bytes`)

const limitOf = (value: LuaValue): Effect.Effect<number, HostFailure> => {
  if (value === undefined) return Effect.succeed(readLimit)
  if (typeof value !== "number") return Effect.fail(wrongArgument(2, `number expected, got ${typeOf(value)}`))
  return value >= 0
    ? Effect.succeed(Math.min(Math.trunc(value), mostRead))
    : Effect.fail(wrongArgument(2, "size expected"))
}

export const blob: Library<ScriptRun> = {
  functions: { get: lookUp, head: lookUp, put },
  methods: { get: again, head: again, put: methodPut, read }
}
