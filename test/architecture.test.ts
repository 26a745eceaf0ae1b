/** Holds the rules of `docs/architecture.md`: which folder may import which, and where the platform may be named. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"

const root = join(import.meta.dirname, "../src")
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((it) => it.endsWith(".ts")).toSorted()
const source = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]))

/** What uses the sources from outside. */
const others = ["test", "examples", "bench", "scripts"].flatMap((folder) =>
  readdirSync(join(root, "..", folder), { recursive: true, encoding: "utf8" })
    .filter((it) => it.endsWith(".ts") && it !== "architecture.test.ts")
    .map((it) => [`../${folder}/${it}`, readFileSync(join(root, "..", folder, it), "utf8")] as const)
)

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
  [/^effect\/http/, /^(programs\/(serve|watch)\/|services\/Serve|layers\/)/],
  [/^effect\/process/, /^(services\/(CredentialHelpers|credentials\/helper)|layers\/Clients)\.ts$/],
  [/^effect\/persistence/, /^services\/(RateLimiter|SyncState)\.ts$/],
  [/^effect\/(cluster|sql|observability)/, /^layers\//],
  [/^@effect\/platform-node/, /^(layers|bin)\//],
  [/^bcryptjs$/, /^(lib|services)\//],
  [/^re2js$/, /^lib\/pattern\.ts$/],
  [/^(xz-decompress)$/, /^lib\/compression\.ts$/],
  [/^yaml$/, /^lib\/yaml(Excess)?\.ts$/],
  [/^fengari/, /^lib\/lua\//]
]

/**
 * Where the platform may be named besides `lib` and `bin`: a transport is made of its sockets, a server listens on them,
 * and a page's script is text for the platform that a browser is.
 */
const platform = /^(lib|bin)\/|^services\/transport\/|^layers\/Server\.ts$|^programs\/watch\/page\//

/** Code without comments and texts, so that a word in them breaks no rule. */
const codeOf = (file: string): string =>
  (source.get(file) ?? "")
    .replaceAll(/\/\*[^]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, "\"\"")

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

  it("name the platform, its clock and its chance only where they must", () => {
    const named =
      /\bprocess\.|\bconsole\.|\bMath\.random\b|\bDate\.now\b|\bnew Date\b|\bset(?:Timeout|Interval|Immediate)\(|\basync\b/
    const wrong = files
      .filter((file) => !platform.test(file))
      .filter((file) => named.test(codeOf(file)) || importsOf(file).some((it) => it.startsWith("node:")))
    assert.deepStrictEqual(wrong, [])
  })

  it("of services that touch the platform say so", () => {
    const wrong = files
      .filter((file) => file.startsWith("services/") && importsOf(file).some((it) => it.startsWith("node:")))
      .filter((file) => !/Touches(?: |\n \* )the(?: |\n \* )platform/.test(source.get(file) ?? ""))
    assert.deepStrictEqual(wrong, [])
  })

  it("swallow a failure, or run without bound, only with a reason beside it", () => {
    const bold = /Effect\.ignore\b|concurrency: "unbounded"/
    const wrong = files.flatMap((file) => {
      const lines = (source.get(file) ?? "").split("\n")
      return lines.flatMap((line, at) =>
        bold.test(line) && !lines.slice(Math.max(0, at - 4), at + 1).some((it) => /\/\/|\*\//.test(it))
          ? [`${file}:${at + 1}`]
          : []
      )
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("export no function or constant that nobody uses", () => {
    const users = new Map([...source, ...others])
    const wrong = files.flatMap((file) =>
      [...(source.get(file) ?? "").matchAll(/^export (?:const|function) (\w+)/gm)]
        .map(([, name = ""]) => name)
        .filter((name) => !(source.get(file) ?? "").includes(`export type ${name} =`))
        .filter((name) => ![...users].some(([other, text]) => other !== file && new RegExp(`\\b${name}\\b`).test(text)))
        .map((name) => `${file}: ${name}`)
    )
    assert.deepStrictEqual(wrong, [])
  })

  it("give every failure a reason that the documentation explains", () => {
    const reasons = ["StoreError.ts", "ConfigError.ts", "ScriptError.ts"].flatMap((file) =>
      [...(source.get(`schemas/${file}`) ?? "").matchAll(/^ {2,4}\| "(\w+)"|_tag: ("[^\n]+")/gm)]
        .flatMap(([, one, many = ""]) => one === undefined ? [...many.matchAll(/\w+/g)].map(([it]) => it) : [one])
    )
    const page = readFileSync(join(root, "../docs/errors.md"), "utf8")
    assert.isAbove(reasons.length, 35)
    assert.deepStrictEqual(reasons.filter((it) => !page.includes(`| \`${it}\``)), [])
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
