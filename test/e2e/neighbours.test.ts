/** A public registry leads no client to this machine or its network: real addresses, in a network of their own. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Met } from "../support/neighbourhood.ts"
import { unable } from "../support/privileges.ts"
import { run, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("neighbours")
let met: ReadonlyArray<Met> | undefined

beforeAll(async () => {
  const hosts = join(dir.path, "hosts")
  writeFileSync(hosts, `${readFileSync("/etc/hosts", "utf8")}\n169.254.169.254 metadata.test\n`)
  const namespaces = (command: string, ...args: ReadonlyArray<string>) =>
    run("unshare", ["-rnm", "sh", "-c", command, "sh", ...args])
  const mounted = "mount --bind \"$1\" /etc/hosts && ip link set lo up && ip addr add 93.184.216.34/32 dev lo"
  const able = await namespaces(mounted, hosts).catch(() => ({ code: 1 }))
  if (able.code !== 0) return
  const ran = await namespaces(
    "mount --bind \"$1\" /etc/hosts && exec \"$2\" \"$3\" \"$4\" \"$5\"",
    hosts,
    process.execPath,
    join(import.meta.dirname, "../support/neighbourhood.ts"),
    tool("regctl"),
    join(dir.path, "home")
  )
  assert.strictEqual(ran.code, 0, ran.err)
  met = JSON.parse(ran.out)
}, 60_000)
afterAll(() => dir.remove())

describe("a registry at a public address", () => {
  it("leads nobody nearer, however it spells that, by name, on a later hop, by locations and layers (N24)", (context) => {
    if (met === undefined) return unable(context, "network and mount namespaces")
    assert.lengthOf(met, 17)
    for (const { asked, code, err, what } of met.slice(0, -1)) {
      assert.deepStrictEqual([what, code, asked], [what, 1, []])
      const record = JSON.parse(err.split("\n").findLast((line) => line.startsWith("{\"time\"")) ?? "{}")
      assert.deepStrictEqual([what, record.level, record.reason], [what, "ERROR", "RedirectRefused"], err)
      assert.match(record.msg, /redirect to a (?:local domain is|realm elsewhere.*is) not allowed/)
    }
  })

  it("leads to a neighbour that has an entry of its own", (context) => {
    if (met === undefined) return unable(context, "network and mount namespaces")
    assert.include(met.at(-1)?.asked ?? [], "metadata.test/x")
  })
})
