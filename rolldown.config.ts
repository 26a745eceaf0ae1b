/** Bundles the three tools: one entry each, a chunk for whatever is loaded on demand, what they share in common chunks. */
import { execFileSync } from "node:child_process"
import { chmodSync, readFileSync } from "node:fs"
import { defineConfig } from "rolldown"
import { builtins } from "./scripts/builtins.ts"

const { version } = JSON.parse(readFileSync("package.json", "utf8"))

/** Empty where this is no clone of the repository. */
const git = (...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync("git", args, {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" },
      stdio: ["ignore", "pipe", "ignore"]
    }).trim()
  } catch {
    return ""
  }
}

const commit = git("rev-parse", "HEAD")
const build = {
  tag: `v${version}`,
  ...(commit === "" ? {} : {
    commit,
    state: git("status", "--porcelain", "--untracked-files=no") === "" ? "clean" : "dirty",
    date: git("show", "-s", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd", "HEAD")
  })
}

/** What the bundles know of their build. */
export const define = { REGCLIENT_BUILD: JSON.stringify(build) }

/** What runs before the version of Node is known uses nothing that an old one may not have; nor does the bundler's part. */
const isLeft = (importer: string, isDynamic: boolean): boolean => isDynamic || /^\0|\/src\/bin\//.test(importer)

const tools = defineConfig({
  input: {
    regctl: "src/bin/regctl.ts",
    regsync: "src/bin/regsync.ts",
    regbot: "src/bin/regbot.ts"
  },
  platform: "node",
  transform: { define },
  plugins: [builtins(isLeft), {
    name: "executable entries",
    writeBundle: (_, bundle) => {
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk" && file.isEntry) chmodSync(`dist/${name}`, 0o755)
      }
    }
  }],
  output: {
    dir: "dist",
    cleanDir: true,
    format: "esm",
    minify: true,
    // Every file costs its own search, reading and linking: what is always loaded together is one.
    codeSplitting: {
      groups: [
        {
          name: "launch",
          test: /\/src\/(?:bin\/(?:launch|runtime)|layers\/plainVersion|lib\/(?:build|versionText))\.ts$/,
          priority: 4
        },
        {
          name: "base",
          test: /^\0builtin:|\/src\/(?:layers\/run|programs\/cli\/standard|schemas\/MediaType)\.ts$/,
          priority: 3
        },
        {
          name: "local",
          test:
            /\/src\/(?:layers\/Local|programs\/cli\/typed|programs\/views\/(?:pretty|reference|descriptor|headers|rateLimit))\.ts$/,
          priority: 2
        },
        {
          name: "live",
          test:
            /\/src\/(?:layers\/Live|programs\/(?:open|missing|skipped|graph\/select|tag\/filter|views\/document))\.ts$/,
          priority: 1
        },
        { name: "copy", test: /\/src\/programs\/copy\/\w+\.ts$/ }
      ]
    },
    chunkFileNames: "chunks/[name]-[hash].js"
  }
})

/** What runs in the thread of a script: its modules change fengari's and have to come in their order. */
const luaThread = defineConfig({
  input: { luaThread: "src/lib/lua/thread.ts" },
  platform: "node",
  output: { dir: "dist", format: "esm", minify: true, strictExecutionOrder: true }
})

export default [tools, luaThread]
