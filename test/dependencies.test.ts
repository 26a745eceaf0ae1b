/** What the project brings in: exact versions, whose content is known beforehand, of which two alone run a script. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

interface Package {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const read = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, "..", file), "utf8"))
const project: Package & { readonly allowScripts: Readonly<Record<string, boolean>> } = read("package.json")
const lock: { readonly packages: Readonly<Record<string, Package>> } = read("package-lock.json")

const wanted = { ...project.dependencies, ...project.devDependencies, ...project.optionalDependencies }
const locked = Object.entries(lock.packages).filter(([path]) => path !== "")
const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)

describe("a dependency", () => {
  it("is named with its exact version", () => {
    assert.isNotEmpty(Object.keys(wanted))
    assert.deepStrictEqual(Object.entries(wanted).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)), [])
  })

  it("has that version in the lock file", () => {
    const others = Object.entries(wanted).filter(([name, version]) =>
      lock.packages[`node_modules/${name}`]?.version !== version
    )
    assert.deepStrictEqual(others, [])
    const { dependencies, devDependencies } = lock.packages[""] ?? {}
    assert.deepStrictEqual({ dependencies, devDependencies }, {
      dependencies: project.dependencies,
      devDependencies: project.devDependencies
    })
  })

  it("is locked with the hash of its content, whatever brings it in", () => {
    const unknown = locked.filter(([, { integrity = "", version = "" }]) =>
      version === "" || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)
    )
    assert.deepStrictEqual(unknown.map(([path]) => path), [])
  })

  it("comes from the registry of npm, not from a place of its own", () => {
    const elsewhere = locked.filter(([, { resolved }]) =>
      resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/")
    )
    assert.deepStrictEqual(elsewhere.map(([path]) => path), [])
  })

  it("runs no script when it is installed, but those allowed by name", () => {
    const running = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => nameOf(path))
    assert.deepStrictEqual(running.toSorted(), ["dprint", "node"])
    assert.deepStrictEqual(project.allowScripts, { dprint: true, node: true })
  })
})

describe("a promise of SECURITY.md", () => {
  it("names tests that are there", () => {
    const root = join(import.meta.dirname, "..")
    const named = [...readFileSync(join(root, "SECURITY.md"), "utf8").matchAll(/`(test\/[^`]+)`/g)]
      .map(([, path = ""]) => path)
    assert.isAbove(named.length, 10)
    assert.deepStrictEqual(named.filter((path) => !existsSync(join(root, path))), [])
  })
})
