/** What a package holds beside the bundle, made from what is built: manual pages, completions, licences of others. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Tool } from "../src/programs/cli/command.ts"
import { regbot } from "../src/programs/regbot/main.ts"
import { regctl } from "../src/programs/regctl/main.ts"
import { regsync } from "../src/programs/regsync/main.ts"
import { bundledPackages, notices } from "./bundled.ts"
import { manual, type Sections } from "./manual.ts"
import { built, createdAt, manifest, root, script, type ToolName } from "./run.ts"

const trees: Readonly<Record<ToolName, Tool>> = { regctl, regsync, regbot }

const shells = [
  ["bash", (tool: string) => `${tool}.bash`],
  ["zsh", (tool: string) => `_${tool}`],
  ["fish", (tool: string) => `${tool}.fish`],
  ["powershell", (tool: string) => `${tool}.ps1`]
] as const

const failure = ["1", "something failed: standard error says what and where"] as const
const done = ["0", "everything asked for was done"] as const
const logins: Sections[string] = [
  ["DOCKER_CONFIG", "directory of docker's settings, in place of ~/.docker"],
  ["DOCKER_AUTH_CONFIG", "logins, in the form of docker's config.json"],
  ["REGISTRY_AUTH_FILE", "podman's file of logins"],
  ["HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies, and what is reached without one"]
]

const sections: Readonly<Record<ToolName, Sections>> = {
  regctl: {
    "EXIT STATUS": [done, failure],
    ENVIRONMENT: [["REGCTL_CONFIG", "the file of settings"], ...logins],
    FILES: [["~/.regctl/config.json", "settings and logins of registries"], [
      "~/.docker/config.json",
      "logins and credential helpers of docker"
    ]]
  },
  regsync: {
    "EXIT STATUS": [done, failure, ["2", "of \"check --exit-code\": something is out of date"]],
    ENVIRONMENT: logins,
    FILES: [["~/.docker/config.json", "logins and credential helpers of docker"]]
  },
  regbot: {
    "EXIT STATUS": [done, failure],
    ENVIRONMENT: logins,
    FILES: [["~/.docker/config.json", "logins and credential helpers of docker"]]
  }
}

/** All of it as files, by their paths in a package. */
export const extras = async (): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>()
  const edition = { version: manifest.version, date: createdAt.slice(0, 10) }
  for (const tool of ["regctl", "regsync", "regbot"] as const) {
    for (const [name, text] of manual(trees[tool], edition, sections[tool])) files.set(`man/${name}`, text)
    for (const [shell, nameFor] of shells) {
      files.set(`completions/${nameFor(tool)}`, built(tool, ["completion", shell]))
    }
  }
  return files.set("THIRD-PARTY.txt", notices(await bundledPackages()))
}

/** Writes them below a directory, in place of what was there. */
export const writeExtras = async (dir: string): Promise<void> => {
  for (const it of ["man", "completions"]) {
    rmSync(join(dir, it), { recursive: true, force: true })
    mkdirSync(join(dir, it), { recursive: true })
  }
  for (const [path, text] of await extras()) writeFileSync(join(dir, path), text)
}

if (import.meta.main) await script(() => writeExtras(root))
