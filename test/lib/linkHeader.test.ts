import { assert, describe, it } from "@effect/vitest"
import { linkTo, parseLinks } from "../../src/lib/linkHeader.ts"

describe("linkTo", () => {
  const cases: ReadonlyArray<readonly [text: string, target: string | undefined]> = [
    [`</v2/a/tags/list?last=x&n=2>; rel="next"`, "/v2/a/tags/list?last=x&n=2"],
    [`<https://h/p>;rel=next`, "https://h/p"],
    [`<?last=b,c;d>; rel="next"`, "?last=b,c;d"],
    [`</a>; rel="prev", </b>; title="x, y; rel=\\"z\\"" ; rel="up Next"`, "/b"],
    [`</a>; rel=prev; rel=next`, undefined],
    [`</a>; foo; bar=1; REL = "next"`, "/a"],
    [`</a>; rel="next`, undefined],
    [`no link at all; rel=next`, undefined],
    [`<unclosed; rel=next`, undefined],
    [`</a>; rel="next" garbage, </b>; rel="last"`, "/a"],
    [``, undefined]
  ]
  for (const [text, target] of cases) {
    it(`finds ${target ?? "nothing"} in ${text}`, () => assert.strictEqual(linkTo("next", [text]), target))
  }

  it("looks through every line of the header", () =>
    assert.strictEqual(linkTo("next", [`</a>; rel="first"`, `</b>; rel="next"`]), "/b"))

  it("reads a long line of rubbish in no time", () =>
    assert.deepStrictEqual(parseLinks([`<a>${"; ".repeat(50_000)}`]), [{
      target: "a",
      parameters: Object.create(null)
    }]))
})
