import { assert, describe, it } from "@effect/vitest"
import { Censor } from "../../src/lib/censor.ts"

describe("a censor", () => {
  const censor = new Censor()
  censor.learnHeader("Basic a2VlcGVyOnAmc3Mid28vcmQr") // keeper:p&ss"wo/rd+
  censor.learnHeader("Bearer tok.en-0123456789")

  const shown: ReadonlyArray<readonly [string, string]> = [
    ["as it is", `no p&ss"wo/rd+ here`],
    ["in JSON", `no p&ss\\"wo/rd+ here`],
    ["in an address", "no p%26ss%22wo%2Frd%2B here"],
    ["in base64", "no cCZzcyJ3by9yZCs= here"],
    ["in hexadecimal digits", "no 702673732 7026737322776f2f72642b here"],
    ["in JSON within JSON", `no p&ss\\\\\\"wo/rd+ here`],
    ["in small letters", "no basic a2vlcgvyonamc3mid28vcmqr here"],
    ["as a header", "no Basic a2VlcGVyOnAmc3Mid28vcmQr here"],
    ["as a token", "no tok.en-0123456789 here"]
  ]
  it.each(shown)("recognises a secret %s", (_, text) => {
    const clean = censor.censored(text)
    assert.include(clean, "[censored]")
    assert.notMatch(clean, /wo.*rd|a2vlc|cCZzcy|7322776f|a2VlcGVy|tok\.en/)
  })

  it("leaves the rest, and words too short to be told from others", () => {
    censor.learn("registry".slice(0, 7))
    assert.strictEqual(censor.censored("no registry here"), "no registry here")
  })

  it("forgets the oldest of very many", () => {
    const many = new Censor()
    for (let at = 0; at < 100; at++) many.learn(`secret number ${at}`)
    assert.strictEqual(many.censored("secret number 0, secret number 99"), "secret number 0, [censored]")
  })
})
