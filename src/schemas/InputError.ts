/** What the user gave cannot be used: a flag's value, a missing answer to a prompt, a login that is not there. */
import { Data } from "effect"

export class InputError extends Data.TaggedError("InputError")<{ readonly message: string }> {}
