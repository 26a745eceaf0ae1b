/** Bundles each tool into one CommonJS file, for an executable with a snapshot of it started (`npm run build:sea`). */
import { resolve } from "node:path"
import { defineConfig, type Plugin } from "rolldown"
import { define } from "./rolldown.config.ts"
import { builtins } from "./scripts/builtins.ts"

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
    plugins: [single, builtins(() => false)],
    output: { ...common.output, entryFileNames: "[name].cjs" }
  })),
  {
    ...common,
    input: { luaThread: "src/lib/lua/thread.ts" },
    output: { ...common.output, entryFileNames: "[name].cjs" }
  }
])
