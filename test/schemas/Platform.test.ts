import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { amd64Variant } from "../../src/lib/localPlatform.ts"
import { bestMatch, isCompatible, isPlatformMatch, parsePlatform, platformText } from "../../src/schemas/Platform.ts"
import { descriptorOf, encode } from "../fixtures/content.ts"

const amd64 = { os: "linux", architecture: "amd64", variant: "v3" }
const arm7 = { os: "linux", architecture: "arm", variant: "v7" }
const read = (text: string, local = amd64) => Result.getOrThrow(parsePlatform(text, local))

describe("parsePlatform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armel", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["macOS/arm64", "darwin/arm64"],
    ["LINUX/AMD64", "linux/amd64"],
    ["linux/i386", "linux/386"],
    ["local", "linux/amd64/v3"],
    ["linux", "linux/amd64/v3"],
    ["local/arm64", "linux/arm64"],
    ["arm64", "linux/arm64"],
    ["freebsd", "freebsd"],
    ["windows/amd64,osver=10.0.17763", "windows/amd64"]
  ])("reads %s as %s", (text, expected) => assert.strictEqual(platformText(read(text)), expected))

  it("keeps the version of windows", () =>
    assert.strictEqual(read("windows/amd64,osver=10.0.17763")["os.version"], "10.0.17763"))

  it.each([
    ["linux/invalid.arch!", "invalid platform component invalid.arch! in linux/invalid.arch!"],
    ["linux/amd64,cpu=fast", "unsupported platform arg type, cpu in linux/amd64,cpu=fast"]
  ])(
    "refuses %s",
    (text, message) => assert.strictEqual(Result.getOrThrow(Result.flip(parsePlatform(text, amd64))).message, message)
  )
})

describe("platforms", () => {
  it.each([
    [amd64, { os: "linux", architecture: "amd64" }, true],
    [{ os: "linux", architecture: "amd64" }, amd64, false],
    [arm7, { os: "linux", architecture: "arm", variant: "v6" }, true],
    [arm7, { os: "linux", architecture: "arm", variant: "v8" }, false],
    [{ os: "darwin", architecture: "arm64" }, { os: "linux", architecture: "arm64" }, true],
    [{ os: "linux", architecture: "arm64" }, { os: "darwin", architecture: "arm64" }, false],
    [
      { os: "windows", architecture: "amd64", "os.version": "10.0.17763.1" },
      { os: "windows", architecture: "amd64", "os.version": "10.0.17763.9" },
      true
    ],
    [
      { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1" },
      { os: "windows", architecture: "amd64", "os.version": "10.0.17763.9" },
      false
    ]
  ])("%o runs %o: %s", (host, target, expected) => assert.strictEqual(isCompatible(host, target), expected))

  it("match only when they are the same", () => {
    assert.isTrue(
      isPlatformMatch({ os: "linux", architecture: "arm64", variant: "v8" }, { os: "linux", architecture: "aarch64" })
    )
    assert.isFalse(isPlatformMatch(amd64, { os: "linux", architecture: "amd64" }))
  })

  it("choose the entry that suits best", () => {
    const entry = (platform: { os: string; architecture: string; variant?: string } | undefined, text: string) => ({
      ...descriptorOf(encode(text), "x/y"),
      ...(platform === undefined ? {} : { platform })
    })
    const entries = [
      entry(undefined, "none"),
      entry({ os: "linux", architecture: "arm", variant: "v5" }, "v5"),
      entry({ os: "linux", architecture: "arm", variant: "v6" }, "v6"),
      entry({ os: "linux", architecture: "arm64" }, "arm64")
    ]
    assert.strictEqual(bestMatch(entries, arm7)?.digest, entries[2]?.digest)
    assert.strictEqual(bestMatch(entries, { os: "linux", architecture: "s390x" }), undefined)
  })
})

describe("amd64Variant", () => {
  it.each([
    ["flags : fpu", "v1"],
    ["flags\t\t: cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3", "v2"],
    ["flags\t\t: cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe xsave", "v3"]
  ])("of %s is %s", (cpuinfo, expected) => assert.strictEqual(amd64Variant(cpuinfo), expected))
})
