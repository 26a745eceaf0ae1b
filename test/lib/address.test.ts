import { assert, describe, it } from "@effect/vitest"
import { type AddressClass, classOf, isLoopback, isNearer } from "../../src/lib/address.ts"

describe("classOf", () => {
  const cases: ReadonlyArray<readonly [string, AddressClass | undefined]> = [
    ["8.8.8.8", "public"],
    ["172.15.255.255", "public"],
    ["172.32.0.0", "public"],
    ["192.169.0.1", "public"],
    ["100.100.100.201", "public"],
    ["2001:4860:4860::8888", "public"],
    ["[2606:4700::1111]", "public"],
    ["10.0.0.1", "private"],
    ["172.16.0.0", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["fc00::1", "private"],
    ["fdff::1", "private"],
    ["fd00:ec2::253", "private"],
    ["127.0.0.1", "local"],
    ["127.255.255.254", "local"],
    ["0.0.0.0", "local"],
    ["169.254.169.254", "local"],
    ["100.100.100.200", "local"],
    ["fd00:ec2::254", "local"],
    ["::", "local"],
    ["::1", "local"],
    ["[::1]", "local"],
    ["fe80::1%eth0", "local"],
    ["febf::1", "local"],
    // The same addresses in other spellings.
    ["2130706433", "local"],
    ["0x7f000001", "local"],
    ["0x7f.0.0.1", "local"],
    ["0177.0.0.1", "local"],
    ["017700000001", "local"],
    ["127.1", "local"],
    ["0", "local"],
    ["2852039166", "local"],
    ["0xa.1", "private"],
    ["127.0.0.1.", "local"],
    ["::ffff:127.0.0.1", "local"],
    ["::ffff:7f00:1", "local"],
    ["0:0:0:0:0:ffff:10.0.0.1", "private"],
    ["::ffff:8.8.8.8", "public"],
    ["::169.254.169.254", "local"],
    ["64:ff9b::a9fe:a9fe", "local"],
    ["64:ff9b::8.8.8.8", "public"],
    ["localhost", undefined],
    ["registry.example", undefined],
    ["256.1.1.1", undefined],
    ["1.2.3.4.5", undefined],
    ["beef", undefined],
    ["1::2::3", undefined],
    ["", undefined]
  ]
  for (const [text, expected] of cases) {
    it(`says ${expected ?? "it is a name"} for ${JSON.stringify(text)}`, () => {
      assert.strictEqual(classOf(text), expected)
    })
  }
})

describe("isLoopback", () => {
  for (
    const [text, expected] of [
      ["127.0.0.1", true],
      ["127.8.9.1", true],
      ["::1", true],
      ["::ffff:127.0.0.1", true],
      ["169.254.169.254", false],
      ["10.0.0.1", false],
      ["localhost", false]
    ] as const
  ) {
    it(`is ${expected} for ${text}`, () => assert.strictEqual(isLoopback(text), expected))
  }
})

describe("isNearer", () => {
  it("orders public, private, local", () => {
    assert.isTrue(isNearer("local", "private"))
    assert.isTrue(isNearer("private", "public"))
    assert.isFalse(isNearer("private", "private"))
    assert.isFalse(isNearer("public", "local"))
  })
})
