/** Bundles each tool into one CommonJS file, for an executable with a snapshot of it started (`npm run build:sea`). */
import { isBuiltin } from "node:module"
import { resolve } from "node:path"
import { defineConfig, type Plugin } from "rolldown"
import { define } from "./rolldown.config.ts"

const mark = "\0builtin:"

/** Node's modules are loaded where they are first used: some cannot be part of a snapshot, such as node:http. */
const builtins: Plugin = {
  name: "builtins",
  resolveId: (id) => isBuiltin(id) ? `${mark}${id}` : null,
  load: (id) =>
    id.startsWith(mark)
      ? {
        code: `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(mark.length))})`,
        moduleType: "js"
      }
      : null
}

const single: Plugin = {
  name: "single",
  resolveId: (id, importer) =>
    id === "./launch.ts" && importer !== undefined && !importer.endsWith("/single.ts")
      ? resolve("src/bin/single.ts")
      : null
}

const common = {
  platform: "node",
  output: { dir: "dist-sea/build", format: "cjs", minify: true, codeSplitting: false, strictExecutionOrder: true }
} as const

export default defineConfig([
  ...["regctl", "regsync", "regbot"].map((name) => ({
    ...common,
    input: { [name]: `src/bin/${name}.ts` },
    // Nothing is beside an executable.
    transform: { define: { ...define, "import.meta": "{}" } },
    plugins: [single, builtins],
    output: { ...common.output, entryFileNames: "[name].cjs" }
  })),
  {
    ...common,
    input: { luaThread: "src/lib/lua/thread.ts" },
    output: { ...common.output, entryFileNames: "[name].cjs" }
  }
])
