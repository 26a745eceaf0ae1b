/**
 * Measures what a call of a script costs: `npm run --silent build && node bench/border.ts`. The same lists of tags are
 * asked for by a script of the built regbot, by Effect without Lua, and by the Go tool named by REGBOT_GO or found on the
 * PATH, all from one `regctl serve` on loopback; and a script calls a function that sends nothing. What a process costs
 * without any call is taken off. BENCH_ROUNDS (5) and BENCH_CALLS (1000) change its size. The table goes to standard
 * output.
 */
import { existsSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { build } from "rolldown"
import { must, root } from "../test/support/programs.ts"
import { freePort } from "../test/support/registries.ts"
import { type Contestant, measure } from "./measure.ts"
import { scratch, start, stop } from "./surroundings.ts"
import { markdown } from "./table.ts"

const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5)
const calls = Number(process.env["BENCH_CALLS"] ?? 1000)
const tagCount = 20

const env = {
  REGCTL_CONFIG: join(scratch, "config.json"),
  DOCKER_CONFIG: scratch,
  HOME: scratch,
  NODE_COMPILE_CACHE: join(scratch, "cache")
}

const goTool = process.env["REGBOT_GO"]
  ?? (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, "regbot")).find((it) => existsSync(it))

const serve = async (): Promise<{ readonly host: string; readonly stop: () => Promise<void> }> => {
  const host = `127.0.0.1:${await freePort()}`
  const child = start([process.execPath, join(root, "dist/regctl.js"), "serve", "--addr", host], { stdio: "ignore" })
  for (let attempt = 0; attempt < 200; attempt++) {
    if (await fetch(`http://${host}/v2/`).then((it) => it.ok, () => false)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { host, stop: () => stop(child) }
}

/** A configuration with one script, written to a file. */
const script = (host: string, name: string, source: string): string => {
  const path = join(scratch, `${name}.json`)
  const creds = [{ registry: host, tls: "disabled" }]
  writeFileSync(path, JSON.stringify({ version: 1, creds, scripts: [{ name, script: source }] }))
  return path
}

interface Subject {
  readonly name: string
  /** The command that makes so many calls. */
  readonly command: (calls: number) => ReadonlyArray<string>
}

const subjects = (host: string): ReadonlyArray<Subject> => {
  const lists = (times: number) => script(host, `lists-${times}`, `for i = 1, ${times} do tag.ls("${host}/app") end`)
  const names = (times: number) =>
    script(host, `names-${times}`, `local r = reference.new("${host}/app:v1") for i = 1, ${times} do r:tag() end`)
  const regbot = [process.execPath, join(root, "dist/regbot.js")]
  return [
    { name: "tag.ls of a script", command: (times) => [...regbot, "once", "-c", lists(times)] },
    {
      name: "the same request by Effect, without Lua",
      command: (times) => [process.execPath, join(scratch, "list/listTags.js"), `${host}/app`, String(times)]
    },
    { name: "ref:tag() of a script, which sends nothing", command: (times) => [...regbot, "once", "-c", names(times)] },
    ...(goTool === undefined
      ? []
      : [{
        name: "tag.ls of a script, Go tool",
        command: (times: number) => [goTool, "once", "-c", lists(times)]
      }])
  ]
}

const put = async (host: string) => {
  for (let tag = 1; tag <= tagCount; tag++) {
    const image = [join(root, "dist/regctl.js"), "image", "create", `${host}/app:v${tag}`]
    if (tag === 1) await must(process.execPath, image, { env })
    else {
      const found = await fetch(`http://${host}/v2/app/manifests/v1`)
      const type = { "content-type": found.headers.get("content-type") ?? "" }
      const url = `http://${host}/v2/app/manifests/v${tag}`
      const answer = await fetch(url, { method: "PUT", headers: type, body: await found.arrayBuffer() })
      if (answer.status !== 201) throw new Error(`${url}: ${answer.status}`)
    }
  }
}

const { host, stop: end } = await serve()
try {
  writeFileSync(env.REGCTL_CONFIG, JSON.stringify({ hosts: { [host]: { tls: "disabled" } } }))
  await put(host)
  await build({
    input: join(root, "bench/listTags.ts"),
    platform: "node",
    logLevel: "silent",
    output: { dir: join(scratch, "list"), format: "esm", minify: true, codeSplitting: true }
  })
  const all = subjects(host)
  const contestants = all.flatMap(({ command, name }): ReadonlyArray<Contestant> =>
    [calls, 0].map((times) => ({ name: `${name} ×${times}`, command: command(times), env, cwd: scratch }))
  )
  const rows = await measure({ key: "border", title: "border", contestants, rounds })
  const of = (name: string, part: "wall" | "cpu"): number => rows.find((it) => it.name === name)?.median[part] ?? 0
  const perCall = (name: string, part: "wall" | "cpu") =>
    (of(`${name} ×${calls}`, part) - of(`${name} ×0`, part)) / calls * 1e6
  const [first] = all
  const line = ({ name }: Subject) => {
    const [wall, cpu] = [perCall(name, "wall"), perCall(name, "cpu")]
    const ratio = perCall(first?.name ?? "", "wall") / wall
    const start = of(`${name} ×0`, "wall")
    return [name, wall.toFixed(0), cpu.toFixed(0), ratio.toFixed(2), start.toFixed(3)]
  }
  process.stdout.write([
    `${calls} calls, medians of ${rounds} interleaved rounds, Node ${process.version}; ${tagCount} tags in a list.`,
    "",
    markdown(["a call", "wall µs", "CPU µs", "first / its wall", "process without calls, s"], all.map(line)),
    ""
  ].join("\n"))
} finally {
  await end()
}
