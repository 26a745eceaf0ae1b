import { assert, describe, it } from "@effect/vitest"
import { asPlugin, callOf } from "../../../src/programs/docker/plugin.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"

describe("docker's call of a plugin", () => {
  const rows: ReadonlyArray<readonly [call: string, args: string, dockerConfig?: string]> = [
    ["regctl version", "version"],
    ["regctl", ""],
    ["docker-cli-plugin-metadata", "docker-cli-plugin-metadata"],
    ["--config /dir regctl tag ls a", "tag ls a", "/dir"],
    ["--config=/dir -H tcp://a:1 -lerror --tls regctl --host b tag ls a", "--host b tag ls a", "/dir"],
    ["-c regctl regctl ref a", "ref a"],
    ["-D regctl ref a", "--verbosity debug ref a"],
    ["--debug regctl -v warn ref a", "--verbosity debug -v warn ref a"],
    ["regctl regctl", "regctl"],
    ["help regctl image", "help image"],
    ["__complete regctl image c", "__complete image c"],
    ["-D __completeNoDesc regctl i", "__completeNoDesc i"],
    ["tag ls regctl", "tag ls regctl"],
    ["--host reg=a tag ls b", "--host reg=a tag ls b"]
  ]
  for (const [call, args, dockerConfig] of rows) {
    it(`${call} is read as ${args}`, () =>
      assert.deepStrictEqual(callOf("regctl", call.split(" ")), {
        args: args === "" ? [] : args.split(" "),
        ...(dockerConfig === undefined ? {} : { dockerConfig })
      }))
  }
})

describe("a tool as a plugin", () => {
  it("is called by docker's name and answers docker's question, which no help lists", () => {
    const { calledAs, root } = asPlugin(regctl, "regctl")
    assert.strictEqual(calledAs, "docker regctl")
    assert.deepStrictEqual(
      root.children.filter((it) => !regctl.root.children.includes(it)).map(({ isHidden, name }) => [name, isHidden]),
      [["docker-cli-plugin-metadata", true]]
    )
  })
})
