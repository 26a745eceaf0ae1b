/** `reference.*` and the methods of references (regbot description, 7.2). */
import { Effect } from "effect"
import type { HostFailure, LuaValue } from "../../../lib/lua/border.ts"
import { quoted } from "../../../lib/visibleText.ts"
import { digestProblem, isDigest } from "../../../schemas/Digest.ts"
import { commonName, isTag, type Ref } from "../../../schemas/Ref.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, textArgument, wrongArgument } from "./arguments.ts"
import { nothing } from "./failures.ts"
import { objectOf, stateOf } from "./objects.ts"

/** A copy: what is set on one is not seen by the other. */
const make: HostFunction<never> = {
  run: (value) => Effect.map(refArgument(value, 1), (ref) => ({ values: [objectOf("reference", { ref })] }))
}

const close: HostFunction<ScriptRun> = {
  run: Effect.fnUntraced(function*(value: LuaValue) {
    const ref = yield* refArgument(value, 1)
    const { close } = yield* ScriptRun
    yield* close(ref.location)
    return nothing
  })
}

type Part = "tag" | "digest"

/** With exactly two arguments it sets the part and clears the other; it gives the part otherwise. */
const part = (name: Part): HostFunction<never> => ({
  run: Effect.fnUntraced(function*(...args: ReadonlyArray<LuaValue>) {
    const [self, value] = args
    const ref = yield* refArgument(self, 1)
    if (args.length !== 2) return { values: [ref[name] ?? ""] }
    const changed = yield* withPart(ref, name, yield* textArgument(value, 2))
    // Of what was only named or belongs to a manifest, a copy was changed.
    return stateOf("reference", self) === undefined ? nothing : { values: [], self: { state: { ref: changed } } }
  })
})

/** An empty text leaves neither tag nor digest. What can be none is refused, as it would become part of a path. */
const withPart = ({ location }: Ref, name: Part, text: string): Effect.Effect<Ref, HostFailure> => {
  const done = (more: Pick<Ref, "tag" | "digest">) =>
    Effect.succeed({ text: commonName({ location, ...more }), location, ...more })
  if (text === "") return done({})
  if (name === "tag") {
    return isTag(text) ? done({ tag: text }) : Effect.fail(wrongArgument(2, `invalid tag ${quoted(text)}`))
  }
  return isDigest(text)
    ? done({ digest: text })
    : Effect.fail(wrongArgument(2, digestProblem(text) ?? "invalid checksum digest format"))
}

const text: HostFunction<never> = {
  run: (self) => Effect.map(refArgument(self, 1), (ref) => ({ values: [commonName(ref)] }))
}

export const reference: Library<ScriptRun> = {
  functions: { new: make, close },
  methods: { tag: part("tag"), digest: part("digest"), close },
  text
}
