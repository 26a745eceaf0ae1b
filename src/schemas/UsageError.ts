/** A command line that asks for something nobody can do; the message is the whole text to show. */
import { Data } from "effect"

export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}
