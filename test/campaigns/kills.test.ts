/** Short runs of the campaigns with kills, and moments of them that are met each time. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gate } from "../support/gates.ts"
import { quirky } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"
import { runCampaign } from "./campaign.ts"
import { disks } from "./disks.ts"
import { kills } from "./kills.ts"
import { processes } from "./processes.ts"
import { type Command, type Moment, victim } from "./victims.ts"
import { blobsIn, layoutFound, layoutOf, push } from "./witnesses.ts"

const dir = temporary("killed")
const at = (name: string): string => join(dir.path, name)
const env = { PATH: process.env["PATH"], HOME: dir.path, REGCTL_CONFIG: at("config.json"), DOCKER_CONFIG: dir.path }
const regctl = (...args: ReadonlyArray<string>): Command => ({ tool: "regctl", args, cwd: dir.path, env })
const source = at("source")
const images = layoutOf(source, { v1: "one", v2: "two" }, 300_000)

afterAll(() => dir.remove())

describe("a campaign", () => {
  it("L12: of kills, D1 to D8 hold, and the same command succeeds in the end", async () => {
    const { figures, violations } = await runCampaign(kills, { seed: 20_260_101, runs: 4 })
    assert.deepStrictEqual([...violations], [])
    assert.isAbove(figures["kills"] ?? 0, 4)
  }, 60_000)

  it("L01, L13: of full disks, is told with the path, and nothing is half", async () => {
    const { violations } = await runCampaign(disks, { seed: 20_260_101, runs: 6 })
    assert.deepStrictEqual([...violations], [])
  }, 60_000)

  it("L09, L10, L11: of processes on one layout, nothing is lost that was done", async () => {
    const { violations } = await runCampaign(processes, { seed: 20_260_101, runs: 3 })
    assert.deepStrictEqual([...violations], [])
  }, 60_000)
})

describe("a tool that is killed", () => {
  it("L04, L12: during an export, leaves no file under the final name, and an old one as it is", async () => {
    const registry = await quirky()
    const way = await gate(registry.host)
    mkdirSync(at("out"))
    writeFileSync(at("out/old.tar"), "old")
    writeFileSync(at("config.json"), JSON.stringify({ hosts: { [way.host]: { tls: "disabled" } } }))
    for (const [tag, image] of Object.entries(images)) await push(source, image, registry.host, "app", tag)
    const inTheLayer: Moment = { name: "byte", arm: (kill) => (way.shutAt({ bytes: 200_000 }, kill), () => {}) }
    for (const name of ["new.tar", "old.tar"]) {
      const ran = await victim(regctl("image", "export", `${way.host}/app:v1`, at(`out/${name}`)), inTheLayer)
      assert.strictEqual(ran.end, "SIGKILL", ran.err)
      way.open()
    }
    assert.isFalse(existsSync(at("out/new.tar")))
    assert.strictEqual(readFileSync(at("out/old.tar"), "utf8"), "old")
    // The one of the first is gone with the second.
    assert.lengthOf(readdirSync(at("out")), 2)
    const again = await victim(regctl("image", "export", `${way.host}/app:v1`, at("out/new.tar")))
    assert.strictEqual(again.end, 0, again.err)
    assert.deepStrictEqual(readdirSync(at("out")).toSorted(), ["new.tar", "old.tar"])
    await Promise.all([registry.stop(), way.stop()])
  })

  it("L12: in a layout, what is whole is neither copied nor cloned again (D7)", async () => {
    const target = at("target")
    layoutOf(target, { kept: "kept" }, 1_000)
    const copy = regctl("image", "copy", `ocidir://${source}:v1`, `ocidir://${target}:v1`)
    assert.strictEqual((await victim(copy)).end, 0)
    // As if it was killed before the tag: the blobs are there, and no manifest.
    const index = JSON.parse(readFileSync(join(target, "index.json"), "utf8"))
    index.manifests = index.manifests.slice(0, 1)
    writeFileSync(join(target, "index.json"), JSON.stringify(index))
    const before = blobsIn(target)
    assert.strictEqual((await victim(copy)).end, 0)
    assert.deepStrictEqual(blobsIn(target), before)
    const { leftOver, problems, tags } = layoutFound(target)
    assert.deepStrictEqual([leftOver, problems, tags["v1"]], [[], [], images["v1"]?.digest])
  })
})
