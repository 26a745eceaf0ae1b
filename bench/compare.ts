/**
 * Measures the built regctl against every peer found: `npm run bench`. Peers are skopeo and crane on the PATH, and the
 * Go tool named by REGCTL_GO. Registries are two of Debian's docker-registry with storage in memory where the machine
 * has /dev/shm. BENCH_ROUNDS (5) and BENCH_LARGE_MIB (1024) change its size, BENCH_ONLY (a part of the titles) leaves
 * cases out. The table goes to standard output.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir, totalmem } from "node:os"
import { delimiter, join } from "node:path"
import { build } from "rolldown"
import { must, root } from "../test/support/programs.ts"
import { freePort } from "../test/support/registries.ts"
import { layoutOf, putTags } from "./content.ts"
import { type Case, type Contestant, measure, type Row, table } from "./measure.ts"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5)
const largeMiB = Number(process.env["BENCH_LARGE_MIB"] ?? 1024)
const tagCount = 2_000

const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "regclient-bench-"))
const env = { REGCTL_CONFIG: join(scratch, "config.json"), DOCKER_CONFIG: scratch }
const say = (text: string) => process.stderr.write(`${text}\n`)

const onPath = (program: string): string | undefined =>
  (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, program)).find((it) => existsSync(it))

interface Registry {
  readonly host: string
  readonly stop: () => void
}

const registry = async (name: string): Promise<Registry> => {
  const program = onPath("docker-registry")
  if (program === undefined) throw new Error("docker-registry is needed: install the Debian package docker-registry")
  const port = await freePort()
  const config = join(scratch, `${name}.yml`)
  writeFileSync(
    config,
    [
      "version: 0.1",
      "log: { level: error, accesslog: { disabled: true } }",
      `storage: { filesystem: { rootdirectory: ${scratch}/${name} }, delete: { enabled: true } }`,
      `http: { addr: 127.0.0.1:${port} }`
    ].join("\n")
  )
  const child = spawn(program, ["serve", config], { stdio: "ignore" })
  for (let attempt = 0; attempt < 100; attempt++) {
    const isUp = await fetch(`http://127.0.0.1:${port}/v2/`).then((it) => it.ok, () => false)
    if (isUp) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { host: `127.0.0.1:${port}`, stop: () => void child.kill() }
}

interface Peers {
  readonly skopeo: string | undefined
  readonly crane: string | undefined
  readonly go: string | undefined
}

const regctl = [process.execPath, join(root, "dist/regctl.js")]

/** Every tool's way to copy one image between two plain-http registries. */
const copiers = (peers: Peers, from: string, to: (name: string) => string): ReadonlyArray<Contestant> => [
  { name: "regctl", command: [...regctl, "image", "copy", from, to("ours")], env },
  ...(peers.go === undefined
    ? []
    : [{ name: "regctl (Go)", command: [peers.go, "image", "copy", from, to("go")], env }]),
  ...(peers.crane === undefined
    ? []
    : [{ name: "crane", command: [peers.crane, "copy", "--insecure", from, to("crane")] }]),
  ...(peers.skopeo === undefined ? [] : [{
    name: "skopeo",
    command: [
      peers.skopeo,
      "--insecure-policy",
      "copy",
      "--preserve-digests",
      "--src-tls-verify=false",
      "--dest-tls-verify=false",
      `docker://${from}`,
      `docker://${to("skopeo")}`
    ]
  }])
]

/** Every tool's way to bring all tags of a repository up to date, of which none has changed. */
const checkers = (peers: Peers, source: string, target: string): ReadonlyArray<Contestant> => [
  {
    name: "regctl",
    command: [process.execPath, join(scratch, "check/checkTags.js"), source, target],
    env: { ...env, NODE_COMPILE_CACHE: join(scratch, "cache") }
  },
  ...(peers.go === undefined
    ? []
    : [{ name: "regctl (Go)", command: [peers.go, "repo", "copy", source, target], env }]),
  ...(peers.crane === undefined
    ? []
    : [{ name: "crane", command: [peers.crane, "copy", "--insecure", "--all-tags", source, target] }])
]

/** Every tool's way to bring an image into a directory. */
const savers = (peers: Peers, from: string): ReadonlyArray<Contestant> => [
  { name: "regctl", command: [...regctl, "image", "copy", from, "ocidir://saved:v1"], env, cwd: scratch },
  ...(peers.go === undefined
    ? []
    : [{ name: "regctl (Go)", command: [peers.go, "image", "copy", from, "ocidir://saved:v1"], env, cwd: scratch }]),
  ...(peers.crane === undefined ? [] : [{
    name: "crane",
    command: [peers.crane, "pull", "--insecure", "--format=oci", from, "saved"],
    cwd: scratch
  }]),
  ...(peers.skopeo === undefined ? [] : [{
    name: "skopeo dir:",
    command: [peers.skopeo, "--insecure-policy", "copy", "--src-tls-verify=false", `docker://${from}`, "dir:saved"],
    cwd: scratch
  }])
]

/** The checker of tags as the tools are shipped: one bundle, its code cached. */
const buildChecker = () =>
  build({
    input: join(root, "bench/checkTags.ts"),
    platform: "node",
    logLevel: "silent",
    output: { dir: join(scratch, "check"), format: "esm", minify: true, codeSplitting: true }
  })

const starters = (peers: Peers): ReadonlyArray<Contestant> => [
  { name: "regctl", command: [...regctl, "version"] },
  { name: "node, nothing else", command: [process.execPath, "-e", "0"] },
  ...(peers.go === undefined ? [] : [{ name: "regctl (Go)", command: [peers.go, "version"] }]),
  ...(peers.crane === undefined ? [] : [{ name: "crane", command: [peers.crane, "version"] }]),
  ...(peers.skopeo === undefined ? [] : [{ name: "skopeo", command: [peers.skopeo, "--version"] }])
]

const main = async () => {
  const [a, b] = await Promise.all([registry("a"), registry("b")])
  const peers: Peers = { skopeo: onPath("skopeo"), crane: onPath("crane"), go: process.env["REGCTL_GO"] }
  const tls = { tls: "disabled" }
  writeFileSync(env.REGCTL_CONFIG, JSON.stringify({ hosts: { [a.host]: tls, [b.host]: tls } }))
  try {
    say("making content")
    await buildChecker()
    layoutOf(join(scratch, "many"), "v1", 200, 50 * 1024)
    layoutOf(join(scratch, "large"), "v1", 1, largeMiB * 1024 * 1024)
    const options = { env, cwd: scratch }
    for (const name of ["many", "large"]) {
      await must(
        regctl[0] ?? "",
        [...regctl.slice(1), "image", "copy", `ocidir://${name}:v1`, `${a.host}/${name}:v1`],
        options
      )
    }
    rmSync(join(scratch, "large"), { recursive: true })
    for (const host of [a.host, b.host]) {
      await must(regctl[0] ?? "", [...regctl.slice(1), "image", "copy", "ocidir://many:v1", `${host}/tags:v0`], options)
      const manifest = await fetch(`http://${host}/v2/tags/manifests/v0`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" }
      })
      await putTags(host, "tags", new Uint8Array(await manifest.arrayBuffer()), tagCount)
    }
    /** A new repository for each run, whose predecessors' content is removed from the registry's storage. */
    const freshly = (name: string): Case => ({
      title: name === "many" ? "200 layers of 50 KiB, new" : `one layer of ${largeMiB} MiB, new`,
      rounds,
      contestants: copiers(peers, `${a.host}/${name}:v1`, () => `${b.host}/${name}:v1`),
      before: async () =>
        rmSync(join(scratch, "b/docker/registry/v2/repositories", name), { recursive: true, force: true })
    })
    const cases: ReadonlyArray<Case> = [
      freshly("many"),
      freshly("large"),
      {
        title: `one layer of ${largeMiB} MiB, to a directory`,
        rounds,
        contestants: savers(peers, `${a.host}/large:v1`),
        before: async () => rmSync(join(scratch, "saved"), { recursive: true, force: true })
      },
      {
        title: "200 layers, up to date",
        rounds,
        contestants: copiers(peers, `${a.host}/many:v1`, () => `${b.host}/many:v1`)
      },
      {
        title: `${tagCount} tags, up to date`,
        rounds: Math.min(rounds, 3),
        contestants: checkers(peers, `${a.host}/tags`, `${b.host}/tags`)
      },
      { title: "start-up", rounds: rounds * 2, contestants: starters(peers) }
    ]
    const rows: Array<Row> = []
    for (const it of cases.filter(({ title }) => title.includes(process.env["BENCH_ONLY"] ?? ""))) {
      say(it.title)
      rows.push(...await measure(it))
    }
    const processor = cpus()[0]?.model ?? "unknown"
    const hasSha = /^flags.*\bsha_ni\b/m.test(readFileSync("/proc/cpuinfo", "utf8")) ? "with" : "without"
    process.stdout.write([
      `${cpus().length} × ${processor}, ${hasSha} SHA instructions, ${
        Math.round(totalmem() / 2 ** 30)
      } GiB, Node ${process.version}.`,
      `Medians of ${rounds} interleaved rounds, two docker-registry on loopback, storage ${
        scratch.startsWith("/dev/shm") ? "in memory" : "on disk"
      }.`,
      "",
      table(rows),
      ""
    ].join("\n"))
  } finally {
    a.stop()
    b.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

await main()
