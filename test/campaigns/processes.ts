/** Several processes on one layout, some of them killed: what was said to be done is there, whatever the others did. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { digestOf, type Named } from "../support/layouts.ts"
import { ownRegistry, temporary } from "../support/registries.ts"
import { type Campaign, type Random, randomOf, type Runner } from "./campaign.ts"
import { afterDelay, type Command, never, victim } from "./victims.ts"
import { bytesFor, layoutFound, layoutOf } from "./witnesses.ts"

/** What a tag may be: these digests, `any` for whatever is whole, `undefined` for none. */
type May = ReadonlyArray<string | undefined>

interface Step {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly input?: Buffer
  readonly tag?: string
  /** What the tag is once all is done. */
  readonly wanted?: string | undefined
}

interface Sources {
  readonly layout: string
  readonly images: Readonly<Record<string, Named>>
  readonly tar: string
}

/** A command of the worker of this name, who alone writes the tags that begin with it. */
const stepOf = (random: Random, worker: string, target: string, { images, layout, tar }: Sources): Step => {
  const name = random.pick(Object.keys(images))
  const [from, digest] = [`ocidir://${layout}:${name}`, images[name]?.digest]
  const own = `${worker}-${random.below(2)}`
  const at = (tag: string) => `ocidir://${target}:${tag}`
  const steps: ReadonlyArray<() => Step> = [
    () => ({ name: "copy", args: ["image", "copy", from, at(own)], tag: own, wanted: digest }),
    () => ({ name: "copy", args: ["image", "copy", from, at(own)], tag: own, wanted: digest }),
    () => ({ name: "move", args: ["image", "copy", from, at("moved")] }),
    () => ({ name: "tag delete", args: ["tag", "delete", "--ignore-missing", at(own)], tag: own, wanted: undefined }),
    () => ({ name: "import", args: ["image", "import", "--name", name, at(own), tar], tag: own, wanted: digest }),
    () => ({
      name: "index create",
      args: ["index", "create", at(`${worker}-list`), "--ref", from],
      tag: `${worker}-list`,
      wanted: "any"
    }),
    () => ({
      name: "index add",
      args: ["index", "add", at(`${worker}-list`), "--ref", from],
      tag: `${worker}-list`,
      wanted: "any"
    }),
    () => ({
      name: "image mod",
      args: [
        "image",
        "mod",
        from,
        "--create",
        at(`${worker}-mod`),
        "--annotation",
        `by=${worker}${random.below(1000)}`
      ],
      tag: `${worker}-mod`,
      wanted: "any"
    }),
    // Nobody else has a name for what this worker made.
    () => ({
      name: "manifest delete",
      args: ["manifest", "delete", "--ignore-missing", "--force-tag-dereference", at(`${worker}-mod`)],
      tag: `${worker}-mod`,
      wanted: undefined
    }),
    () => ({ name: "blob put", args: ["blob", "put", `ocidir://${target}`], input: bytesFor(name, 50_000) })
  ]
  return random.pick(steps)()
}

/** Reads a tag through a registry that serves the directory: whole, unless it moved meanwhile. */
const readThrough = async (url: string, tag: string): Promise<ReadonlyArray<string>> => {
  const read = async (path: string) => {
    const answer = await fetch(`${url}/${path}`, { headers: { accept: "application/vnd.oci.image.index.v1+json" } })
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  const top = await read(`manifests/${tag}`)
  if (top.status !== 200) return top.status === 404 ? [] : [`serve answers ${top.status} for ${tag}: ${top.bytes}`]
  const problems: Array<string> = []
  const visit = async (bytes: Buffer): Promise<void> => {
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
    for (const part of [...manifests, ...config === undefined ? [] : [config], ...layers]) {
      const isChild = manifests.includes(part)
      const { bytes: content, status } = await read(`${isChild ? "manifests" : "blobs"}/${part.digest}`)
      if (status !== 200) problems.push(`serve answers ${status} for ${part.digest} of ${tag}`)
      else if (digestOf(content) !== part.digest) problems.push(`serve gives a damaged ${part.digest}`)
      else if (isChild) await visit(content)
    }
  }
  await visit(top.bytes)
  const hasMoved = !(await read(`manifests/${tag}`)).bytes.equals(top.bytes)
  return hasMoved ? [] : problems
}

const start = async (): Promise<Runner> => {
  const root = temporary("processes")
  const layout = join(root.path, "source")
  const images = layoutOf(layout, Object.fromEntries(["t0", "t1", "t2", "t3"].map((it) => [it, it])), 200_000)
  const tar = join(root.path, "source.tar")
  execFileSync("tar", ["-C", layout, "-cf", tar, "oci-layout", "index.json", "blobs"])
  const env = { PATH: process.env["PATH"], HOME: root.path, DOCKER_CONFIG: root.path, TMPDIR: root.path }
  const figures: Record<string, number> = {}
  const count = (name: string) => void (figures[name] = (figures[name] ?? 0) + 1)

  const work = async (random: Random, worker: string, target: string, may: Map<string, May>, told: Array<string>) => {
    for (let left = 2 + random.below(3); left > 0; left--) {
      const step = stepOf(random, worker, target, { layout, images, tar })
      const before = step.tag === undefined ? [] : may.get(step.tag) ?? [undefined]
      if (step.name === "index add" && before.includes(undefined)) continue
      if (step.name.endsWith(" delete") && !existsSync(join(target, "index.json"))) continue
      const command: Command = { tool: "regctl", args: step.args, cwd: root.path, env, input: step.input ?? "" }
      const { end, err } = await victim(command, random.chance(0.3) ? afterDelay(40 + random.below(260)) : never)
      count(`${step.name}: ${end === 0 ? "done" : end === "SIGKILL" ? "killed" : "failed"}`)
      if (step.tag !== undefined) may.set(step.tag, end === 0 ? [step.wanted] : [...before, step.wanted])
      if (end === 0 || end === "SIGKILL") continue
      // The one failure that others may cause: it says what to do.
      if (/removed by another process meanwhile, run again/.test(err)) count("told to run again")
      else told.push(`${step.args.join(" ")} ended with ${end}: ${err}`)
    }
  }

  const run = async (random: Random, index: number): Promise<ReadonlyArray<string>> => {
    const told: Array<string> = []
    const may = new Map<string, May>()
    const dir = join(root.path, `run${index}`)
    const target = join(dir, "shared")
    mkdirSync(dir)
    const workers = ["w", "x", "y", "z"].slice(0, 2 + random.below(3))
    const isServed = random.chance(0.25)
    const server = isServed ? await ownRegistry(["--dir", dir]) : undefined
    const over = new AbortController()
    const reader = async (host: string, draws: Random) => {
      while (!over.signal.aborted) {
        const tag = `${draws.pick(workers)}-${draws.below(2)}`
        if (existsSync(target)) told.push(...await readThrough(`http://${host}/v2/shared`, tag))
        count("read by serve")
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    try {
      const draws = randomOf(random.below(2 ** 31), index)
      const reading = server === undefined ? undefined : reader(server.host, draws)
      await Promise.all(workers.map((it) => work(randomOf(random.below(2 ** 31), index), it, target, may, told)))
      over.abort()
      await reading
    } finally {
      await server?.stop()
    }
    const last = {
      tool: "regctl",
      args: ["image", "copy", `ocidir://${layout}:t0`, `ocidir://${target}:last`]
    } as const
    const began = performance.now()
    const { end, err } = await victim({ ...last, cwd: root.path, env })
    if (end !== 0) told.push(`the last copy ended with ${end}: ${err}`)
    if (performance.now() - began > 20_000 || err.includes("waiting for")) told.push("the lock was not free")
    const { leftOver = [], problems, tags } = layoutFound(target)
    told.push(...problems, ...leftOver.map((it) => `left over: ${it}`))
    const digests = Object.values(images).map((it) => it.digest)
    for (
      const [tag, of] of [
        ...may,
        ["last", [images["t0"]?.digest]] as const,
        ["moved", [undefined, ...digests]] as const
      ]
    ) {
      const is = tags[tag]
      if (!of.includes(is) && !(is !== undefined && of.includes("any")))
        told.push(`${tag} is ${is}, not ${of.join(" or ")}`)
    }
    for (const tag of Object.keys(tags))
      if (!may.has(tag) && !/^(?:last|moved)$/.test(tag)) told.push(`${tag} is nobody's`)
    rmSync(dir, { recursive: true, force: true })
    return told
  }
  return { run, figures: () => Object.fromEntries(Object.entries(figures).toSorted()), stop: async () => root.remove() }
}

export const processes: Campaign = {
  name: "processes",
  about:
    "Two to four processes at a time write one layout, one in three is killed, a server reads: what was said to be " +
    "done is there and whole, the lock is free in the end, and nothing is left over after one more write.",
  start
}
