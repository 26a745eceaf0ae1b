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

  it("is censored whatever stands about its key", () => {
    assert.strictEqual(shown("own.pass-word \t: hunter2", 1), "own.pass-word \t: [censored]")
    assert.strictEqual(shown("a: {\"x-token\" : hunter2}", 1), "[censored]")
    assert.strictEqual(shown("creds: {credExpire: 1h, user: a}", 1), "creds: {credExpire: 1h, user: a}")
    assert.strictEqual(shown("user: token", 1), "user: token")
  })

  it("takes a time in step with its length", () => {
    const dashes = "-".repeat(500_000)
    assert.strictEqual(shown(`ratelimit: ${dashes}`, 1), `ratelimit: ${dashes.slice(0, 189)}…`)
    assert.strictEqual(shown(`${"pass".repeat(250_000)}`, 1).length, 201)
  })
})
