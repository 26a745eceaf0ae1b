/** Completion as users have it: the scripts in real shells, over a registry that serves. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { installed, must, run, tool } from "../support/programs.ts"
import { ownRegistry, type Running, temporary } from "../support/registries.ts"
import { toolsIn, typed } from "../support/shells.ts"

const dir = temporary("completion")
let registry: Running = {} as Running // set before the first test
let env: Readonly<Record<string, string | undefined>> = {}
let host = ""

const regctl = (args: ReadonlyArray<string>, input = "") =>
  run(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path, input })

const emptyIndex = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`

beforeAll(async () => {
  registry = await ownRegistry()
  host = registry.host
  env = {
    HOME: dir.path,
    PATH: `${toolsIn(dir.path)}:${process.env["PATH"]}`,
    REGCTL_CONFIG: join(dir.path, "config.json"),
    DOCKER_CONFIG: dir.path,
    DOCKER_AUTH_CONFIG: undefined,
    INPUTRC: "/dev/null",
    TERM: "dumb",
    ZDOTDIR: dir.path
  }
  writeFileSync(join(dir.path, "config.json"), JSON.stringify({ hosts: { [host]: { tls: "disabled" } } }))
  for (const name of [`${host}/team/app:v1`, `${host}/team/app:v2`, `${host}/team/app:edge`, "ocidir://lay:only"])
    await must(process.execPath, [tool("regctl"), "manifest", "put", name], { env, cwd: dir.path, input: emptyIndex })
  mkdirSync(join(dir.path, "images"))
})
afterAll(async () => {
  await registry.stop()
  dir.remove()
})

describe("regctl __complete", () => {
  const completed = async (...words: ReadonlyArray<string>) => {
    const { code, err, out } = await regctl(["__complete", ...words])
    assert.strictEqual(code, 0)
    assert.match(err, /^Completion ended with directive: ShellCompDirective[A-Za-z, ]+\n$/)
    return out
  }

  it("gives values with their descriptions and a directive", async () =>
    assert.strictEqual(
      await completed("image", "ma"),
      `manifest\tshow a manifest or an index, same as "manifest get"\n:4\n`
    ))

  it("gives the tags of a repository, registered or told of by a flag before", async () => {
    assert.strictEqual(
      await completed("image", "copy", `${host}/team/app`),
      `${host}/team/app:edge\n${host}/team/app:v1\n${host}/team/app:v2\n:4\n`
    )
    const config = { ...env, REGCTL_CONFIG: "/dev/null" }
    const words = ["__completeNoDesc", "--host", `reg=${host},tls=disabled`, "image", "digest", `${host}/team/app:v`]
    assert.deepStrictEqual(await run(process.execPath, [tool("regctl"), ...words], { env: config }), {
      code: 0,
      out: `${host}/team/app:v1\n${host}/team/app:v2\n:4\n`,
      err: "Completion ended with directive: ShellCompDirectiveNoFileComp\n"
    })
  })

  it("gives repositories of a registry, and its name", async () => {
    assert.strictEqual(await completed("tag", "ls", `${host}/t`), `${host}/team/app\n:4\n`)
    assert.strictEqual(await completed("registry", "logout", ""), `${host}\n:4\n`)
  })

  it("gives layouts and their tags", async () => {
    assert.strictEqual(await completed("image", "copy", "ocidir://l"), "ocidir://lay\n:6\n")
    assert.strictEqual(await completed("image", "copy", "ocidir://lay:"), "ocidir://lay:only\n:4\n")
  })

  it("gives nothing, and no reason, where a registry refuses, hangs or is none", async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
    const { port } = silent.address() as AddressInfo // listens on TCP
    const hangs = await completed("--host", `reg=127.0.0.1:${port},tls=disabled`, "tag", "rm", `127.0.0.1:${port}/a:`)
    silent.close()
    const refuses = await completed("--host", `reg=127.0.0.1:${port},tls=disabled`, "tag", "rm", `127.0.0.1:${port}/a:`)
    assert.deepStrictEqual([hangs, refuses, await completed("tag", "rm", `${host}/none:`)], [":4\n", ":4\n", ":4\n"])
  })
})

describe("regctl completion", () => {
  it("prints a script for each shell, with descriptions or without", async () => {
    for (const shell of ["bash", "fish", "powershell", "zsh"]) {
      const [full, short] = await Promise.all([
        regctl(["completion", shell]),
        regctl(["completion", shell, "--no-descriptions"])
      ])
      assert.strictEqual(short.out, full.out.replaceAll("__complete ", "__completeNoDesc "), shell)
      assert.include(full.out, " __complete ")
    }
  })
})

/** Lines with tab keys in them, after a command that shows its words. */
const keys = (lines: ReadonlyArray<string>) =>
  [...lines.map((line) => `show ${line}`), "exit"].map((line) => `${line}\n`).join("")
const show = `show() { printf 'SHOWN'; printf '<%s>' "$@"; echo; }`
const shownIn = (screen: string) => [...screen.matchAll(/SHOWN(<.*>)/g)].map(([, words]) => words)

describe("bash", () => {
  const inBash = (rc: string, lines: ReadonlyArray<string>) => {
    const setup = ["PS1='$ '", show, rc, "source <(regctl completion bash)", "complete -F _regctl_complete show"]
    writeFileSync(join(dir.path, "bashrc"), setup.join("\n"))
    return typed("bash --noprofile --rcfile bashrc -i", keys(lines), { env, cwd: dir.path })
  }

  it("completes words with colons, values after an equals sign, and names of files", async () => {
    const screen = await inBash("", [
      `ima\tcop\t${host}/te\t:v1\t oci\tl\t:\t`,
      `image copy --platform=linux/am\t --referrers-src=${host}/te\t`,
      `-v de\tregistry set --tls dis\t${host.slice(0, 6)}\t`,
      "serve --dir ima\t",
      "version ima\t",
      `image digest "${host}/team/app:ed\t`
    ])
    assert.deepStrictEqual(shownIn(screen).slice(0, 5), [
      `<image><copy><${host}/team/app:v1><ocidir://lay:only>`,
      `<image><copy><--platform=linux/amd64><--referrers-src=${host}/team/app>`,
      `<-v><debug><registry><set><--tls><disabled><${host}>`,
      "<serve><--dir><images/>",
      "<version><ima>"
    ])
  })

  it("does so where it splits words at blanks only", async () => {
    const screen = await inBash("COMP_WORDBREAKS=$' \\t\\n'", [`image digest --platform=loc\t ${host}/team/app:v2\t`])
    assert.deepStrictEqual(shownIn(screen), [`<image><digest><--platform=local><${host}/team/app:v2>`])
  })

  it("lists what is possible with descriptions, which are never inserted", async () => {
    const screen = await inBash("", ["config \t\t"])
    assert.match(screen, /^get {2}\(show the options\)\s+set {2}\(change an option\)\s*$/m)
    assert.deepStrictEqual(shownIn(screen), ["<config>"])
  })
})

describe("zsh", () => {
  it("completes words with colons, values after an equals sign, and names of files", async () => {
    installed("zsh", "zsh")
    const setup = [
      "PS1='%% '",
      "autoload -U compinit; compinit -u -D",
      show,
      "source <(regctl completion zsh)",
      "compdef _regctl show"
    ]
    writeFileSync(join(dir.path, ".zshrc"), setup.join("\n"))
    const lines = [
      `ima\tcop\t${host}/te\t:v1\t oci\tl\t:\t`,
      `image copy --platform=linux/am\t --referrers-src=${host}/te\t`,
      `-v de\tregistry set --tls dis\t${host.slice(0, 6)}\t`,
      "serve --dir ima\t"
    ]
    const screen = await typed("zsh -i", keys(lines), { env, cwd: dir.path })
    assert.deepStrictEqual(shownIn(screen), [
      `<image><copy><${host}/team/app:v1><ocidir://lay:only>`,
      `<image><copy><--platform=linux/amd64><--referrers-src=${host}/team/app>`,
      `<-v><debug><registry><set><--tls><disabled><${host}>`,
      "<serve><--dir><images>"
    ])
  })
})

describe("fish", () => {
  it("lists candidates with descriptions, values after an equals sign, and names of files", async () => {
    const lines = [
      "config ",
      `image copy ${host}/te`,
      `tag rm ${host}/team/app:v`,
      "image copy --platform=linux/am",
      "serve --dir ima",
      "serve --dir=ima"
    ]
    const asked = lines.map((line) => `complete -C 'regctl ${line}'; echo`).join("; ")
    const out = await must(installed("fish", "fish"), [
      "--no-config",
      "-c",
      `regctl completion fish | source; ${asked}`
    ], { env, cwd: dir.path })
    assert.deepStrictEqual(out.trimEnd().split("\n\n"), [
      "get\tshow the options\nset\tchange an option",
      `${host}/team/app`,
      `${host}/team/app:v1\n${host}/team/app:v2`,
      "--platform=linux/amd64",
      "images/",
      "--dir=images/"
    ])
  })
})
