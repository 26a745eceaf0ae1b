/** Reads a report of `npm audit --json`: defects that are known of packages in the bundle fail, those of tools do not. */
import { readFileSync } from "node:fs"
import { bundledPackages } from "./bundled.ts"
import { say, script } from "./run.ts"

await script(async () => {
  const [, , file = ""] = process.argv
  const { vulnerabilities = {} }: { readonly vulnerabilities?: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(file, "utf8")
  )
  const shipped = await bundledPackages()
  const known = shipped.filter(({ name }) => name in vulnerabilities)
  if (known.length === 0) return say("npm audit: nothing known of what is shipped")
  const told = known.map(({ name, version }) => `${name} ${version}: ${JSON.stringify(vulnerabilities[name])}\n`)
  throw new Error(`${told.join("")}npm audit: what is shipped has known defects`)
})
