/** Holds the rules of `docs/architecture.md`: which folder may import which, and where the platform may be named. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"

const root = join(import.meta.dirname, "../src")
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((it) => it.endsWith(".ts")).toSorted()
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]))

const mayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  lib: ["lib"],
  schemas: ["lib", "schemas"],
  services: ["lib", "schemas", "services"],
  programs: ["lib", "schemas", "services", "programs"],
  layers: ["lib", "schemas", "services", "programs", "layers"],
  bin: ["programs", "layers", "bin"]
}

/** Modules with few homes, as patterns of specifiers and of the files that may name them. */
const islands: ReadonlyArray<readonly [RegExp, RegExp]> = [
  [/^effect\/cli/, /^programs\/(cli|regctl|regsync|regbot)\//],
  [/^effect\/http/, /^(programs\/serve\/|services\/Serve|layers\/)/],
  [/^effect\/process/, /^services\/(CredentialHelpers|credentials\/helper)\.ts$/],
  [/^effect\/persistence/, /^services\/(RateLimiter|SyncState)\.ts$/],
  [/^effect\/(cluster|sql|observability)/, /^layers\//],
  [/^@effect\/platform-node/, /^(layers|bin)\//],
  [/^bcryptjs$/, /^(lib|services)\//],
  [/^re2js$/, /^lib\/pattern\.ts$/]
]

const importsOf = (file: string): ReadonlyArray<string> =>
  [...(source.get(file) ?? "").matchAll(/(?:from|import\() ?"([^"]+)"/g)].map((it) => it[1] ?? "")

const folderOf = (file: string): string => file.split("/")[0] ?? ""

describe("source files", () => {
  it("import only from the folders theirs may know", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((it) => it.startsWith("."))
        .map((it) => relative(root, join(root, file, "..", it)))
        .filter((it) => mayImport[folderOf(file)]?.includes(folderOf(it)) !== true)
        .map((it) => `${file} imports ${it}`)
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("name unstable and heavy modules only where they live", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).flatMap((it) =>
        islands.filter(([module, home]) => module.test(it) && !home.test(file)).map(() => `${file} imports ${it}`)
      )
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("of programs and schemas run no Effect themselves and know no platform", () => {
    const wrong = files
      .filter((file) => /^(programs|schemas)\//.test(file))
      .filter((file) => /Effect\.run[A-Z]|\bprocess\.|"node:/.test(source.get(file) ?? ""))
    assert.deepStrictEqual(wrong, [])
  })

  it("of one tool know nothing of another", () => {
    const tools = ["regctl", "regsync", "regbot", "serve"]
    const toolOf = (file: string) => tools.find((tool) => file.startsWith(`programs/${tool}/`))
    const wrong = files.flatMap((file) => {
      const own = toolOf(file)
      return importsOf(file)
        .filter((it) => it.startsWith("."))
        .map((it) => relative(root, join(root, file, "..", it)))
        .filter((it) => own !== undefined && toolOf(it) !== undefined && toolOf(it) !== own && toolOf(it) !== "serve")
        .map((it) => `${file} imports ${it}`)
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("open with a comment that says what they are for, and stay of a size to read", () => {
    const wrong = files.filter((file) => {
      const text = source.get(file) ?? ""
      const limit = folderOf(file) === "lib" ? 450 : 300
      return !text.replace(/^#!.*\n/, "").startsWith("/**") || text.split("\n").length > limit
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("have no default exports and no barrels", () => {
    const wrong = files.filter((file) =>
      /^export default/m.test(source.get(file) ?? "") || /^export \* from/m.test(source.get(file) ?? "") ||
      file.endsWith("index.ts")
    )
    assert.deepStrictEqual(wrong, [])
  })
})
