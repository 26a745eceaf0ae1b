import { assert, describe, it } from "@effect/vitest"
import { type Command, type CommandEnd, startCommand } from "../../../src/lib/lua/commandHost.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const ended = async (command: Partial<Command> & { readonly text: string }, isKilled = false) => {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>()
  const kill = startCommand(
    { environment: { PATH: process.env["PATH"] ?? "", ...command.environment }, ...command },
    resolve
  )
  if (isKilled) kill()
  const { output, status } = await promise
  return `${status} ${Buffer.from(output)}`
}

describe("a command", () => {
  it("gives its status and what it wrote", async () => {
    assert.strictEqual(
      await ended({ text: "echo a; echo $X; exit 3", environment: { X: "b" }, collected: 100 }),
      "3 a\nb\n"
    )
    assert.strictEqual(await ended({ text: "cat", input: bytes("in"), collected: 100 }), "0 in")
    assert.strictEqual(await ended({ text: "true", input: bytes("x".repeat(1e6)) }), "0 ")
    assert.strictEqual(await ended({ text: "kill -9 $$" }), "137 ")
  })

  it("that the system refuses has a status as well", async () => {
    assert.strictEqual(await ended({ text: "echo a\0b", collected: 100 }), "127 ")
    assert.strictEqual(await ended({ text: `: ${"x".repeat(3e6)}`, collected: 100 }), "127 ")
  })

  it("is ended together with what it has started", async () => {
    // It is told only once nobody holds its output any more.
    assert.strictEqual(await ended({ text: "sleep 100 & sleep 100 | sleep 100", collected: 100 }, true), "137 ")
  })

  it("is ended when it writes too much", async () => {
    assert.strictEqual(await ended({ text: "yes & yes", collected: 0 }), "137 ")
  })
})
