import { assert, describe, it } from "@effect/vitest"
import { printed, raisedBy } from "./chunks.ts"

const semver = (source: string) => printed(`local v = require 'semver' ${source}`)
const fails = (source: string) => raisedBy(`local v = require 'semver' ${source}`)

describe("semver", () => {
  it("reads versions with fewer numbers and with labels", () => {
    assert.strictEqual(semver("print(v'1', v'1.2', v'1.2.3', v'10.20.30')"), "1.0.0\t1.2.0\t1.2.3\t10.20.30")
    assert.strictEqual(
      semver("local x = v'1.2.3-rc.1+build.5' print(x.major, x.minor, x.patch, x.prerelease, x.build, x)"),
      "1\t2\t3\trc.1\tbuild.5\t1.2.3-rc.1+build.5"
    )
    assert.strictEqual(semver("local x = v'1.2+b-1' print(x, x.prerelease, x.build)"), "1.2.0+b-1\tnil\tb-1")
    assert.strictEqual(
      semver("print(v(1), v(1, 2), v(1, 2, 3, 'alpha', 'b'), type(v._VERSION))"),
      "1.0.0\t1.2.0\t1.2.3-alpha+b\ttable"
    )
  })

  it("orders as Semantic Versioning does", () => {
    const ordered =
      "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0"
    assert.strictEqual(
      semver(`local all = {} for s in ('${ordered}'):gmatch('%S+') do table.insert(all, 1, v(s)) end table.sort(all)
        for i, x in ipairs(all) do all[i] = tostring(x) end print(table.concat(all, ' '))`),
      ordered
    )
    assert.strictEqual(
      semver("print(v'1.2.3' == v(1, 2, 3), v'1.2.3+a' == v'1.2.3+b', v'1.2.3' ~= v'1.2.4', v'1.0.0-9' < v'1.0.0-a')"),
      "true\ttrue\ttrue\ttrue"
    )
    assert.strictEqual(
      semver("print(v'1.0.0' <= v'1.0.0', v'1.0.0' >= v'1.0.1', v'2.0.0' > v'1.9.9')"),
      "true\tfalse\ttrue"
    )
  })

  it("tells what can replace another", () => {
    assert.strictEqual(
      semver(
        "print(v'1.2.3' ^ v'1.2.0', v'1.2.3' ^ v'1.9.0', v'1.2.3' ^ v'1.1.9', v'1.2.3' ^ v'2.0.0', v'0.1.0' ^ v'0.1.0', v'0.1.0' ^ v'0.2.0')"
      ),
      "true\ttrue\tfalse\tfalse\ttrue\tfalse"
    )
  })

  it("gives the next versions", () => {
    assert.strictEqual(
      semver("local x = v'1.2.3-a+b' print(x:nextMajor(), x:nextMinor(), x:nextPatch())"),
      "2.0.0\t1.3.0\t1.2.4"
    )
    assert.strictEqual(semver("print(v'1.2.3':nextMajor():nextMinor() > v'2.0.0')"), "true")
  })

  it("refuses what is no version", () => {
    for (
      const [call, message] of [
        ["''", "Could not extract version number(s) from \"\""],
        ["'v1.2'", "Could not extract version number(s) from \"v1.2\""],
        ["'1.2.3.4'", "The parameter \".4\" must begin with + or - to denote a prerelease or a build"],
        ["'1.2.3 '", "The parameter \" \" must begin with + or - to denote a prerelease or a build"],
        ["'1.2.3-!'", "The prerelease \"-!\" is not a slash followed by alphanumerics, dots and slashes"],
        ["'1.2.3+_'", "The build \"+_\" is not a + sign followed by alphanumerics, dots and slashes"],
        ["", "At least one parameter is needed"],
        ["-1", "major must be a valid positive number"],
        ["1, 2.5", "minor must be an integer"]
      ] as const
    ) assert.strictEqual(fails(`v(${call})`), `<string>:1: ${message}`, call)
    assert.match(fails("return v'1.0.0' < 3") ?? "", /\(version expected\)$/)
    assert.match(fails("v('1.0.0').nextMajor(5)") ?? "", /\(version expected\)$/)
  })
})
