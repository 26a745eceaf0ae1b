import { assert, describe, it } from "@effect/vitest"
import { proxyFor } from "../../src/lib/proxyEnv.ts"

const env = { httpProxy: "http://plain:3128", httpsProxy: "http://tunnel:3129" }

describe("proxyFor", () => {
  it("takes the variable of the scheme", () => {
    assert.deepStrictEqual(proxyFor(env, new URL("http://r.example/v2/")), {
      secure: false,
      hostname: "plain",
      port: 3128
    })
    assert.deepStrictEqual(proxyFor(env, new URL("https://r.example/v2/")), {
      secure: false,
      hostname: "tunnel",
      port: 3129
    })
  })

  it("goes directly without one", () => {
    assert.strictEqual(proxyFor({}, new URL("https://r.example/")), "direct")
    assert.strictEqual(proxyFor({ httpsProxy: " " }, new URL("https://r.example/")), "direct")
  })

  const spellings: ReadonlyArray<readonly [string, unknown]> = [
    ["proxy:8080", { secure: false, hostname: "proxy", port: 8080 }],
    ["proxy", { secure: false, hostname: "proxy", port: 80 }],
    ["https://proxy", { secure: true, hostname: "proxy", port: 443 }],
    ["http://[::1]:3128", { secure: false, hostname: "::1", port: 3128 }],
    ["http://me:p%40ss@proxy:1", { secure: false, hostname: "proxy", port: 1, authorization: "Basic bWU6cEBzcw==" }],
    ["http://me:100%@proxy:1", { secure: false, hostname: "proxy", port: 1, authorization: "Basic bWU6MTAwJQ==" }],
    ["socks5://proxy:1080", "invalid"],
    ["http://", "invalid"],
    ["http://proxy:99999", "invalid"]
  ]
  for (const [value, expected] of spellings) {
    it(`reads ${value}`, () => {
      assert.deepStrictEqual(proxyFor({ httpProxy: value }, new URL("http://r.example/")), expected)
    })
  }

  const bypasses: ReadonlyArray<readonly [string, string, boolean]> = [
    ["", "http://localhost/", true],
    ["", "http://127.0.0.1:5000/", true],
    ["", "http://127.3.2.1/", true],
    ["", "http://[::1]:5000/", true],
    ["", "http://r.example/", false],
    ["*", "http://r.example/", true],
    ["example", "http://r.example/", true],
    ["r.example", "http://r.example/", true],
    ["r.example", "http://R.EXAMPLE./", true],
    ["R.Example", "http://r.example/", true],
    ["r.example", "http://sub.r.example/", true],
    ["r.example", "http://xr.example/", false],
    [".r.example", "http://r.example/", false],
    [".r.example", "http://sub.r.example/", true],
    ["*.r.example", "http://sub.r.example/", true],
    ["*.r.example", "http://r.example/", false],
    ["a, r.example ,b", "http://r.example/", true],
    ["r.example:5000", "http://r.example:5000/", true],
    ["r.example:5000", "http://r.example/", false],
    ["r.example:80", "http://r.example/", true],
    ["r.example:443", "http://r.example/", false],
    ["10.1.2.3", "http://10.1.2.3/", true],
    ["10.1.2.3", "http://10.1.2.4/", false],
    ["10.1.2.3:5000", "http://10.1.2.3:5000/", true],
    ["10.1.2.3:5000", "http://10.1.2.3/", false],
    ["10.0.0.0/8", "http://10.200.1.1/", true],
    ["10.0.0.0/9", "http://10.200.1.1/", false],
    ["10.0.0.0/8", "http://r.example/", false],
    ["fd00::/8", "http://[fd12::1]/", true],
    ["[fd12::1]:80", "http://[fd12::1]/", true],
    ["fd12::1", "http://[fd12::1]/", true],
    [":80", "http://r.example/", false]
  ]
  for (const [noProxy, url, expected] of bypasses) {
    it(`${expected ? "spares" : "does not spare"} ${url} with NO_PROXY=${noProxy}`, () => {
      assert.strictEqual(proxyFor({ ...env, noProxy }, new URL(url)) === "direct", expected)
    })
  }
})
