/** What the user asks for or gives cannot be: a flag or its value, a missing answer, a login that is not there. */
import { Data } from "effect"

/** The message is the whole text to show. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}
