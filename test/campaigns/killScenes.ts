/** Commands to be killed, each with a place of its own and the word of a stranger on what is there. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { must, tool } from "../support/programs.ts"
import { changeScenes } from "./killedChanges.ts"
import { atRegistry, fetched, inLayout, none, pair, repositoryOf, type Scene, seed, tag } from "./stages.ts"
import { bytesFor, layoutOf, tarFound } from "./witnesses.ts"

const copyToRegistry: Scene = {
  name: "copy into a registry",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const { at, gate, stage } = await atRegistry(random, lane, dir, made)
    const args = ["image", "copy", `ocidir://${made.source}:${tag}`, `${at}:${tag}`]
    return {
      ...stage,
      ...made,
      command: { tool: "regctl", args, cwd: dir },
      gate: { gate, bytes: made.bytes, requests: 28 },
      usual: 260
    }
  }
}

const copyToLayout: Scene = {
  name: "copy into a layout",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const target = made.old
    const common = { ...made, ...inLayout(target), watched: { dir: target, changes: 50 }, usual: 230 }
    if (random.chance(0.4)) {
      const args = ["image", "copy", `ocidir://${made.source}:${tag}`, `ocidir://${target}:${tag}`]
      return { ...common, command: { tool: "regctl", args, cwd: dir } }
    }
    const { gate, host } = random.pick(lane.registries)
    const repository = repositoryOf(lane, dir)
    await seed(made.source, made.images, host, repository)
    gate.open()
    const args = ["image", "copy", `${gate.host}/${repository}:${tag}`, `ocidir://${target}:${tag}`]
    return {
      ...common,
      command: { tool: "regctl", args, cwd: dir },
      gate: { gate, bytes: made.bytes, requests: 12 },
      moves: fetched
    }
  }
}

const exportTar: Scene = {
  name: "export into a tar",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const out = join(dir, "out")
    const file = join(out, "image.tar")
    mkdirSync(out)
    const regctl = (...args: ReadonlyArray<string>) =>
      must(process.execPath, [tool("regctl"), ...args], { env: lane.env })
    const hadOld = random.chance(0.5)
    if (hadOld) await regctl("image", "export", `ocidir://${made.old}:kept`, file)
    const now = made.images[tag]?.digest
    const common = {
      watched: { dir: out, changes: 30 },
      usual: 220,
      find: async (isDone: boolean) => {
        const { problems, tags } = tarFound(file)
        const strange = readdirSync(out).filter((it) =>
          !(it === "image.tar" || (!isDone && /^\.regclient-[\w-]+\.tmp$/.test(it)))
        )
        return { tags, problems: [...problems, ...strange.map((it) => `left over: ${it}`)] }
      },
      allowed: { tar: [hadOld ? made.olds["kept"]?.digest : undefined, now] },
      wanted: { tar: now },
      whole: none,
      also: made.also
    }
    if (random.chance(0.4)) {
      const args = ["image", "export", `ocidir://${made.source}:${tag}`, file]
      return { ...common, command: { tool: "regctl", args, cwd: dir } }
    }
    const { gate, host } = random.pick(lane.registries)
    const repository = repositoryOf(lane, dir)
    await seed(made.source, made.images, host, repository)
    gate.open()
    const args = ["image", "export", `${gate.host}/${repository}:${tag}`, file]
    return {
      ...common,
      command: { tool: "regctl", args, cwd: dir },
      gate: { gate, bytes: made.bytes, requests: 12 }
    }
  }
}

const importTar: Scene = {
  name: "import a tar",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir)
    const file = join(dir, "image.tar")
    await must("tar", ["-C", made.source, "-cf", file, "oci-layout", "index.json", "blobs"])
    if (random.chance(0.5)) {
      const args = ["image", "import", `ocidir://${made.old}:${tag}`, file]
      const command = { tool: "regctl", args, cwd: dir } as const
      return { ...made, ...inLayout(made.old), command, watched: { dir: made.old, changes: 50 }, usual: 240 }
    }
    const { at, gate, stage } = await atRegistry(random, lane, dir, made)
    return {
      ...made,
      ...stage,
      command: { tool: "regctl", args: ["image", "import", `${at}:${tag}`, file], cwd: dir },
      gate: { gate, bytes: made.bytes, requests: 28 },
      usual: 260
    }
  }
}

const tagDelete: Scene = {
  name: "tag delete in a layout",
  stage: async (_, __, dir) => {
    const layout = join(dir, "layout")
    const tags = Object.fromEntries(["a", "b", "gone"].map((it) => [it, `${dir} ${it}`]))
    const images = layoutOf(layout, tags, 30_000)
    const kept = { a: images["a"]?.digest, b: images["b"]?.digest }
    return {
      ...inLayout(layout),
      command: { tool: "regctl", args: ["tag", "delete", "--ignore-missing", `ocidir://${layout}:gone`], cwd: dir },
      allowed: { a: [kept.a], b: [kept.b], gone: [images["gone"]?.digest, undefined] },
      wanted: { ...kept, gone: undefined },
      // What only the deleted tag reaches goes.
      whole: none,
      watched: { dir: layout, changes: 16 },
      usual: 180
    }
  }
}

const artifactPut: Scene = {
  name: "artifact put",
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir, [])
    const files = ["one.bin", "two.bin"]
    const size = 5_000 + random.below(500_000)
    files.forEach((it) => writeFileSync(join(dir, it), bytesFor(`${dir} ${it}`, size)))
    const args = ["artifact", "put", "--artifact-type", "application/example"]
    const more = files.flatMap((it) => ["--file", it, "--file-media-type", "application/octet-stream"])
    const common = {
      ...made,
      allowed: { ...made.allowed, note: [undefined, "any"] },
      wanted: { ...made.wanted, note: "any" }
    }
    const command = (at: string) => ({ tool: "regctl", args: [...args, ...more, `${at}:note`], cwd: dir }) as const
    if (random.chance(0.5)) {
      const watched = { dir: made.old, changes: 40 }
      return { ...common, ...inLayout(made.old), command: command(`ocidir://${made.old}`), watched, usual: 220 }
    }
    const { at, gate, stage } = await atRegistry(random, lane, dir, made)
    const passed = { gate, bytes: 2 * size, requests: 12 }
    return { ...common, ...stage, command: command(at), gate: passed, usual: 240 }
  }
}

const three = ["v1", "v2", "v3"]

/** Several images at once, from a registry into a layout or the other way; `file` is what the tool reads. */
const bulk = (
  name: string,
  of: "regsync" | "regbot",
  file: (hosts: ReadonlyArray<string>, from: string, to: string) => object
): Scene => ({
  name,
  stage: async (random, lane, dir) => {
    const made = await pair(random, dir, three)
    const command = { tool: of, args: ["once", "-c", join(dir, "config.yml")], cwd: dir } as const
    const write = (host: string, from: string, to: string) =>
      writeFileSync(join(dir, "config.yml"), JSON.stringify(file([host], from, to)))
    if (random.chance(0.5)) {
      const { at, gate, stage } = await atRegistry(random, lane, dir, made)
      write(gate.host, `ocidir://${made.source}`, at)
      return { ...made, ...stage, command, gate: { gate, bytes: made.bytes, requests: 85 }, usual: 500 }
    }
    const { gate, host } = random.pick(lane.registries)
    const repository = repositoryOf(lane, dir)
    await seed(made.source, made.images, host, repository)
    gate.open()
    write(gate.host, `${gate.host}/${repository}`, `ocidir://${made.old}`)
    const watched = { dir: made.old, changes: 130 }
    const passed = { gate, bytes: made.bytes, requests: 38 }
    return { ...made, ...inLayout(made.old), command, gate: passed, watched, moves: fetched, usual: 450 }
  }
})

const credsOf = (hosts: ReadonlyArray<string>) => hosts.map((registry) => ({ registry, tls: "disabled" }))

const regsyncOnce = bulk("regsync once", "regsync", (hosts, source, target) => ({
  version: 1,
  creds: credsOf(hosts),
  defaults: { skipDockerConfig: true, parallel: 2 },
  sync: [{ source, target, type: "repository" }]
}))

const regbotOnce = bulk("regbot once", "regbot", (hosts, source, target) => ({
  version: 1,
  creds: credsOf(hosts),
  defaults: { skipDockerConfig: true },
  scripts: [{
    name: "copy",
    script: `for _, t in ipairs(tag.ls("${source}")) do image.copy("${source}:" .. t, "${target}:" .. t) end`
  }]
}))

export const scenes: ReadonlyArray<Scene> = [
  copyToRegistry,
  copyToLayout,
  exportTar,
  importTar,
  tagDelete,
  artifactPut,
  regsyncOnce,
  regbotOnce,
  ...changeScenes
]
