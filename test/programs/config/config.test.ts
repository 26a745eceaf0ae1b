import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as get from "../../../src/programs/config/get.ts"
import * as set from "../../../src/programs/config/set.ts"
import { inWorld } from "../registry/world.ts"

describe("config get", () => {
  it.effect("shows the file without secrets", () =>
    Effect.map(
      inWorld(
        {
          config: {
            version: 1,
            hosts: { "a.io": { user: "u", pass: "p", token: "t", clientKey: "k" } },
            hostDefault: { credHelper: "h" },
            blobLimit: 5,
            incDockerCert: false
          }
        },
        get.run({ format: "{{ printPretty . }}" })
      ),
      ({ views }) =>
        assert.deepStrictEqual(views, [{
          version: 1,
          hosts: { "a.io": { user: "u" } },
          hostDefault: { credHelper: "h" },
          blobLimit: 5,
          incDockerCert: false
        }])
    ))
})

describe("config set", () => {
  const values: set.Input = {
    blobLimit: 0,
    defaultCredHelper: "",
    dockerCert: true,
    dockerCred: true,
    given: new Set()
  }
  const full = { hostDefault: { credHelper: "h" }, blobLimit: 5, incDockerCert: false, incDockerCred: false }
  const all = ["blob-limit", "default-cred-helper", "docker-cert", "docker-cred"]
  const table: ReadonlyArray<readonly [string, object, ReadonlyArray<string>, Partial<set.Input>, object]> = [
    ["writes what differs from the defaults", {}, all, {
      blobLimit: 5,
      defaultCredHelper: "h",
      dockerCert: false,
      dockerCred: false
    }, full],
    ["leaves nothing of the defaults", full, all, {}, {}],
    ["changes only what was given", full, ["docker-cert"], {}, {
      hostDefault: { credHelper: "h" },
      blobLimit: 5,
      incDockerCred: false
    }],
    [
      "keeps other defaults of hosts",
      { hostDefault: { credHelper: "h", reqConcurrent: 7 } },
      ["default-cred-helper"],
      {},
      {
        hostDefault: { reqConcurrent: 7 }
      }
    ]
  ]
  for (const [what, config, given, flags, expected] of table) {
    it.effect(what, () =>
      Effect.map(
        inWorld({ config }, set.run({ ...values, ...flags, given: new Set(given) })),
        (seen) => assert.deepStrictEqual([seen.config, seen.failure], [expected, ""])
      ))
  }

  it.effect("refuses a negative limit", () =>
    Effect.map(
      inWorld({}, set.run({ ...values, blobLimit: -1, given: new Set(["blob-limit"]) })),
      ({ failure }) => assert.strictEqual(failure, "blob-limit cannot be negative: -1")
    ))
})
