import { assert, describe, it } from "@effect/vitest"
import { StreamWindow, Window } from "../../../src/services/rateLimiter/window.ts"

/** So many answers, each after so many milliseconds, while somebody waits. */
const answers = (window: Window, count: number, milliseconds: number, isFull = true) => {
  for (let at = 0; at < count; at++) window.answered(milliseconds, isFull)
}

describe("the window of a host", () => {
  it("grows by one with each round of answers that come as fast as before, up to its limit", () => {
    const window = new Window(2, 4)
    answers(window, 1, 30)
    assert.strictEqual(window.size, 2)
    answers(window, 1, 30)
    assert.strictEqual(window.size, 3)
    answers(window, 3, 40)
    assert.strictEqual(window.size, 4)
    answers(window, 100, 30)
    assert.strictEqual(window.size, 4)
  })

  it("stays when the host answers more slowly, or when nobody waits", () => {
    const window = new Window(2, 16)
    answers(window, 2, 30)
    assert.strictEqual(window.size, 3)
    answers(window, 30, 80)
    assert.strictEqual(window.size, 3)
    answers(window, 30, 30, false)
    assert.strictEqual(window.size, 3)
    answers(window, 3, 30)
    assert.strictEqual(window.size, 4)
  })

  it("halves once for all requests that were on their way when the host had too much, and never ends", () => {
    const window = new Window(8, 16)
    for (let at = 0; at < 8; at++) window.overloaded()
    assert.strictEqual(window.size, 4)
    window.overloaded()
    assert.strictEqual(window.size, 2)
    for (let at = 0; at < 10; at++) window.overloaded()
    assert.strictEqual(window.size, 1)
    answers(window, 1, 30)
    assert.strictEqual(window.size, 2)
  })

  it("forgives nothing that began after the others were answered", () => {
    const window = new Window(4, 4)
    window.overloaded()
    assert.strictEqual(window.size, 2)
    answers(window, 3, 30, false)
    window.overloaded()
    assert.strictEqual(window.size, 1)
  })
})

describe("the window of streams", () => {
  const mebibyte = 1024 * 1024

  it("grows while one more takes nothing from the others", () => {
    const window = new StreamWindow(3, 6)
    window.streamed(4 * mebibyte, 1600, true)
    window.streamed(4 * mebibyte, 1700, true)
    assert.strictEqual(window.size, 5)
    window.streamed(4 * mebibyte, 2600, true)
    assert.strictEqual(window.size, 5)
    window.streamed(4 * mebibyte, 2600, true)
    window.streamed(4 * mebibyte, 2600, true)
    assert.strictEqual(window.size, 6)
  })

  it("stays where streams are fast, or nobody waits for one", () => {
    const window = new StreamWindow(3, 6)
    window.streamed(100 * mebibyte, 1000, true)
    window.streamed(4 * mebibyte, 1600, false)
    assert.strictEqual(window.size, 3)
  })
})
