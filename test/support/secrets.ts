/** Secrets to look for, in every form in which a program or a server could write them down. */
import { assert } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const reversed = (text: string): string => [...text].toReversed().join("")

/** As base64 has it in the middle of something longer: at each of three places, without what its neighbours change. */
const within64 = (secret: string): ReadonlyArray<string> =>
  [0, 1, 2].map((before) =>
    Buffer.from("x".repeat(before) + secret).toString("base64").replace(/=+$/, "").slice(before === 0 ? 0 : 4, -2)
  )

/** Text in the encodings of addresses, JSON, base64, hexadecimal digits; and turned round. */
export const formsOf = (secret: string): ReadonlyArray<string> => {
  const some = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ "": secret }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("base64url"),
    Buffer.from(secret).toString("hex")
  ]
  const base64 = within64(secret)
  return [...new Set([...some, ...base64, ...base64.map((it) => it.replaceAll("+", "-").replaceAll("/", "_"))])]
    .flatMap((it) => [it, reversed(it)])
}

/** Fails when a text has one of the secrets in one of its forms. */
export const hides = (secrets: ReadonlyArray<string>) => {
  const forms = secrets.flatMap((secret) => formsOf(secret).map((form) => ({ secret, form: form.toLowerCase() })))
  return (text: string, story: string): void => {
    const lower = text.toLowerCase()
    for (const { form, secret } of forms) {
      const at = lower.indexOf(form)
      if (at >= 0) assert.fail(`${story}: ${secret} is shown: ${text.slice(Math.max(0, at - 200), at + 200)}`)
    }
  }
}

/** The files below a directory, as text. */
export const filesBelow = (dir: string): ReadonlyArray<readonly [path: string, text: string]> =>
  readdirSync(dir, { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((it) => it.isFile())
    .map((it) => [join(it.parentPath, it.name), readFileSync(join(it.parentPath, it.name), "latin1")])
