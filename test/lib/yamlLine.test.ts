import { assert, describe, it } from "@effect/vitest"
import { shownLine } from "../../src/lib/yamlLine.ts"

const shown = (text: string, line: number) => shownLine(text.split("\n"), line).text

describe("a line beside a problem", () => {
  it("is shown when nothing in it is secret", () => {
    assert.strictEqual(shown("creds:\n- registry: a\n  repoAuth: yes", 3), "repoAuth: yes")
    assert.strictEqual(shown("a: http://u:p@host/x", 1), "a: http://[censored]@host/x")
    assert.strictEqual(shown("a: \u001b[2J", 1), "a: \\x1b[2J")
  })

  it("is censored when it gives a secret or continues one", () => {
    assert.strictEqual(shown("  pass: hunter2", 1), "pass: [censored]")
    assert.strictEqual(shown("- { registry: a, pass: hunter2 }", 1), "[censored]")
    assert.strictEqual(shown("- clientKey: |\n    a: hunter2", 2), "[censored]")
    assert.strictEqual(shown("x-my-token: >\n  one\n\n  two", 4), "[censored]")
    assert.strictEqual(shown("- pass: a\n  user: b", 2), "user: b")
  })
})
