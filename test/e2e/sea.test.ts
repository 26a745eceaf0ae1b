/** The single executables on a root file system that holds nothing but them, the libraries they name, and a user. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process"
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = join(import.meta.dirname, "../..")
const built = join(root, "dist-sea")
const tools = ["regctl", "regsync", "regbot"] as const
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** A file in the new root: a second name where the file system allows it, else a copy. */
const place = (from: string, to: string) => {
  mkdirSync(dirname(to), { recursive: true })
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  }
}

const librariesOf = (file: string): ReadonlyArray<string> =>
  [...execFileSync("ldd", [file], { encoding: "utf8" }).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((it) => it[1] ?? "")

const enter = process.getuid?.() === 0 ? ["chroot"] : ["unshare", "-r", "chroot"]

describe.skipIf(process.platform !== "linux")("single executables", () => {
  const fs = mkdtempSync(join(tmpdir(), "regclient-root-"))
  const env = { HOME: "/home/user", PATH: "/bin", TZ: "Asia/Tokyo" }
  const command = (...line: ReadonlyArray<string>) => [...enter.slice(1), fs, ...line]
  const run = (line: ReadonlyArray<string>, input = "", more: Readonly<Record<string, string>> = {}) => {
    const { status, stderr, stdout } = spawnSync(enter[0] ?? "", command(...line), {
      env: { ...env, ...more, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      input,
      encoding: "utf8"
    })
    return { status, stdout, stderr }
  }
  let server: ChildProcess | undefined
  let host = ""

  beforeAll(async () => {
    if (!tools.every((tool) => existsSync(join(built, tool))))
      execFileSync(process.execPath, [join(root, "scripts/sea.ts")], { cwd: root, stdio: "ignore" })
    for (const tool of tools) place(join(built, tool), join(fs, "bin", tool))
    for (const library of librariesOf(join(built, "regctl"))) place(realpathSync(library), join(fs, library))
    for (const directory of ["etc", "tmp", "home/user"]) mkdirSync(join(fs, directory), { recursive: true })
    writeFileSync(join(fs, "etc/passwd"), "root:x:0:0::/home/user:\n")
    writeFileSync(join(fs, "etc/hosts"), "127.0.0.1 localhost\n")
    const started = spawn(
      enter[0] ?? "",
      command("/bin/regctl", "-v", "info", "serve", "--addr", "127.0.0.1:0"),
      { env: { ...env, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }, stdio: ["ignore", "ignore", "pipe"] }
    )
    server = started
    host = await new Promise<string>((resolve, reject) => {
      let log = ""
      started.stderr?.on("data", (text) => {
        log += String(text)
        const found = /listening on http:\/\/([^\s"]+)/.exec(log)?.[1]
        if (found !== undefined) resolve(found)
      })
      started.once("exit", () => reject(new Error(log)))
    })
    expect(run(["/bin/regctl", "registry", "set", "--tls", "disabled", "--skip-check", host])).toMatchObject({
      status: 0,
      stderr: ""
    })
  }, 300_000)

  afterAll(async () => {
    if (server?.exitCode === null) {
      server.kill("SIGTERM")
      await new Promise((resolve) => server?.once("exit", resolve))
    }
    rmSync(fs, { recursive: true })
  })

  it("tell their version", () => {
    expect(existsSync(join(fs, "usr/bin/node"))).toBe(false)
    for (const tool of tools) {
      const { status, stdout } = run([`/bin/${tool}`, "version"])
      expect(status).toBe(0)
      expect(stdout).toMatch(new RegExp(`^VCSTag:     v${version}\nVCSRef:     \\S+\n`))
    }
    expect(run(["/bin/regctl", "version", "--format", "{{.VCSTag}}"]).stdout).toBe(`v${version}`)
  })

  it("read the environment of the run, not of the build", () => {
    expect(existsSync(join(fs, "home/user/.regctl/config.json"))).toBe(true)
    const args = ["/bin/regctl", "registry", "set", "--tls", "disabled", "--skip-check", "a.example.org"]
    expect(run(args, "", { REGCTL_CONFIG: "/tmp/own.json" })).toMatchObject({ status: 0 })
    expect(Object.keys(JSON.parse(readFileSync(join(fs, "tmp/own.json"), "utf8")).hosts)).toEqual(["a.example.org"])
    expect(
      run(["/bin/regctl", "tag", "ls", "a.example.org/x"], "", {
        REGCTL_CONFIG: "/tmp/own.json",
        HTTP_PROXY: "http://127.0.0.1:1"
      }).stderr
    ).toContain("127.0.0.1:1")
  })

  it("push, copy between a registry and a layout, and inspect", () => {
    const config = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Labels: { purpose: "quick start" } },
      rootfs: { type: "layers", diff_ids: [] }
    })
    const digest = run(["/bin/regctl", "blob", "put", `${host}/demo/hello`], config).stdout.trim()
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: config.length },
      layers: []
    })
    expect(run(["/bin/regctl", "manifest", "put", `${host}/demo/hello:v1`], manifest).status).toBe(0)
    expect(run(["/bin/regctl", "image", "copy", `${host}/demo/hello:v1`, "ocidir:///tmp/hello:v1"]).status).toBe(0)
    expect(run(["/bin/regctl", "image", "copy", "ocidir:///tmp/hello:v1", `${host}/mirror/hello:v2`]).status).toBe(0)
    expect(run(["/bin/regctl", "tag", "ls", `${host}/mirror/hello`]).stdout).toBe("v2\n")
    expect(
      run(["/bin/regctl", "image", "inspect", "--format", "{{.Config.Labels.purpose}}", `${host}/mirror/hello:v2`])
        .stdout
    ).toBe("quick start")
  })

  it("synchronise and run scripts, which see the environment and the time zone", () => {
    const credentials = `version: 1\ncreds:\n- registry: ${host}\n  tls: disabled\n`
    const sync = `${credentials}sync:\n- source: ${host}/demo/hello\n  target: ${host}/kept/hello\n  type: repository\n`
    expect(run(["/bin/regsync", "once", "-c", "-"], sync).status).toBe(0)
    expect(run(["/bin/regctl", "tag", "ls", `${host}/kept/hello`]).stdout).toBe("v1\n")
    const script = `${credentials}scripts:
- name: list
  script: |
    for _, it in ipairs(tag.ls("${host}/kept/hello")) do print(it) end
    print(os.getenv("GREETING"), os.date("%H", 0), math.abs(os.time() - ${Math.floor(Date.now() / 1000)}) < 300)
`
    const { status, stdout } = run(["/bin/regbot", "once", "-c", "-"], script, { GREETING: "hello" })
    expect({ status, stdout }).toEqual({ status: 0, stdout: "v1\nhello\t09\ttrue\n" })
    const random = "version: 1\nscripts:\n- name: a\n  script: print(math.random(1, 1000000000))\n"
    const [one, other] = [1, 2].map(() => run(["/bin/regbot", "once", "-c", "-"], random).stdout)
    expect(one).not.toBe(other)
  })

  it("complete, and are plugins of docker under their other name", () => {
    expect(run(["/bin/regctl", "__complete", "tag", "l"]).stdout).toContain("ls\tlist the tags of a repository\n")
    place(join(fs, "bin/regctl"), join(fs, "bin/docker-regctl"))
    expect(JSON.parse(run(["/bin/docker-regctl", "docker-cli-plugin-metadata"]).stdout)).toMatchObject({
      SchemaVersion: "0.1.0",
      Vendor: "regclient"
    })
  })
})
