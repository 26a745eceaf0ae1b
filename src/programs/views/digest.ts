/** A digest as templates see it: a string with methods. */
import { Struct } from "../../lib/gotemplate/value.ts"
import { digestProblem } from "../../schemas/Digest.ts"

/** `text` may be empty or no digest at all: only its methods mind. */
export const digestView = (text: string): Struct => {
  const colon = text.indexOf(":")
  const split = <A>(found: () => A): A => {
    if (colon <= 0) throw new Error(`no ':' separator in digest ${JSON.stringify(text)}`)
    return found()
  }
  const encoded = () => split(() => text.slice(colon + 1))
  return new Struct("digest.Digest", {}, {
    text,
    string: () => text,
    methods: {
      String: () => text,
      Algorithm: () => split(() => algorithmView(text.slice(0, colon))),
      Encoded: encoded,
      Hex: encoded,
      Validate: () => {
        const problem = digestProblem(text)
        if (problem !== undefined) throw new Error(problem)
        return undefined
      }
    }
  })
}

const algorithmView = (text: string): Struct =>
  new Struct("digest.Algorithm", {}, {
    text,
    string: () => text,
    methods: { String: () => text, Available: () => ["sha256", "sha384", "sha512"].includes(text) }
  })
