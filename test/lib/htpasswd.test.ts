import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { isPassword, parseHtpasswd } from "../../src/lib/htpasswd.ts"

const entriesOf = (text: string) => {
  const parsed = parseHtpasswd(text)
  if ("problem" in parsed) throw new Error(parsed.problem)
  return parsed.entries
}

describe("a password file", () => {
  // Made by `htpasswd -nb`, with -B, -m and -s.
  const entries: ReadonlyArray<readonly [string, string, string]> = [
    ["apr1", "$apr1$4oW1cVl5$7Cyr03msTs5HDDtujT0B..", "secret"],
    ["SHA-1", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret"]
  ]
  it.each(entries)("holds %s hashes", async (_, hash, password) => {
    const users = entriesOf(`# comment\r\n\r\nbob:${hash}\r\n`)
    assert.isTrue(await isPassword(users, "bob", password))
    assert.isFalse(await isPassword(users, "bob", `${password}x`))
    assert.isFalse(await isPassword(users, "amy", password))
  })

  it("is read as Apache's program writes it", async () => {
    for (const flag of ["-B", "-m", "-s"]) {
      for (const password of ["x", "pässwörd with: colon", "a-rather-long-password-of-more-than-32-bytes"]) {
        const users = entriesOf(execFileSync("htpasswd", ["-nb", flag, "bob", password], { encoding: "utf8" }))
        assert.isTrue(await isPassword(users, "bob", password))
        assert.isFalse(await isPassword(users, "bob", "other"))
      }
    }
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["bob", "line 1: not of the form name:hash"],
    ["\n:hash", "line 2: not of the form name:hash"],
    ["bob:plain", "line 1: unsupported password hash, use bcrypt (htpasswd -B), apr1 or SHA"],
    ["bob:$2y$05$short", "line 1: unsupported password hash, use bcrypt (htpasswd -B), apr1 or SHA"]
  ]
  it.each(refused)("is refused, naming the line: %s", (text, problem) => {
    assert.deepStrictEqual(parseHtpasswd(text), { problem })
  })
})
