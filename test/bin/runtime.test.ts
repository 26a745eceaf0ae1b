import { assert, describe, it } from "@effect/vitest"
import { isTooOld } from "../../src/bin/runtime.ts"

describe("the Node that runs the tools", () => {
  it.each([
    ["20.20.2", true],
    ["22.18.0", true],
    ["22.19.0", false],
    ["23.0.0", false],
    ["26.10.0", false]
  ])("%s is too old: %s", (version, expected) => assert.strictEqual(isTooOld(version), expected))
})
