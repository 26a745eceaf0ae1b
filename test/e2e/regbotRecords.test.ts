/** What a script sees of every kind of manifest, line by line as the Go tool prints it. */
import { assert, it } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import bodies from "../fixtures/regbotRecords.json" with { type: "json" }
import { root, run, tool } from "../support/programs.ts"
import { digestOf, quirky } from "../support/quirky.ts"
import { temporary } from "../support/registries.ts"

const fixture = (name: string) => readFileSync(join(root, "test/fixtures", name), "utf8")

const oci = "application/vnd.oci.image"
const docker = "application/vnd.docker.distribution.manifest"
const types = {
  image: `${oci}.manifest.v1+json`,
  bare: `${oci}.manifest.v1+json`,
  docker: `${docker}.v2+json`,
  index: `${oci}.index.v1+json`,
  list: `${docker}.list.v2+json`,
  artifact: "application/vnd.oci.artifact.manifest.v1+json",
  s1: `${docker}.v1+json`
}

it("prints records and their exports as the Go tool does", async () => {
  const registry = await quirky()
  const dir = temporary("records")
  try {
    const { blobs, manifests, tags } = registry.repository("t")
    blobs.set(digestOf(bodies.config), Buffer.from(bodies.config))
    for (const tag of ["image", "bare", "docker", "index", "list", "artifact", "s1"] as const) {
      const bytes = Buffer.from(bodies[tag])
      manifests.set(digestOf(bytes), { type: types[tag], bytes })
      tags.set(tag, digestOf(bytes))
    }
    const script = fixture("regbotRecords.lua").replaceAll("REG", registry.host)
    const file = join(dir.path, "regbot.yml")
    writeFileSync(
      file,
      JSON.stringify({ creds: [{ registry: registry.host, tls: "disabled" }], scripts: [{ name: "records", script }] })
    )
    const ran = await run(process.execPath, [tool("regbot"), "once", "-c", file], { env: { HOME: dir.path } })
    assert.strictEqual(ran.err, "")
    assert.strictEqual(ran.out, fixture("regbotRecords.txt"))
    assert.strictEqual(ran.code, 0)
  } finally {
    await registry.stop()
    dir.remove()
  }
})
