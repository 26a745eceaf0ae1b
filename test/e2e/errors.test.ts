/** What a user reads when something is wrong: one line that says what, exit status 1, no stack. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { umociImage } from "../support/images.ts"
import { must, run, tool } from "../support/programs.ts"
import { dockerRegistry, freePort, makeCertificates, type Running, temporary } from "../support/registries.ts"

const dir = temporary("errors")
const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
let secured: Running
let plain: Running
let layout: string
let ca: string

const regctl = (...args: ReadonlyArray<string>) =>
  run(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path })

beforeAll(async () => {
  const certificates = makeCertificates(dir.path)
  ca = certificates.ca
  layout = await umociImage(dir.path, "v1")
  ;[secured, plain] = await Promise.all([
    dockerRegistry({ tls: certificates, login: { user: "ada", password: "lovelace" } }),
    dockerRegistry()
  ])
  writeFileSync(join(dir.path, "config.json"), JSON.stringify({ hosts: { [plain.host]: { tls: "disabled" } } }), {
    mode: 0o600
  })
})
afterAll(async () => {
  await Promise.all([secured, plain].map((it) => it?.stop()))
  dir.remove()
})

/** One line, and what a registry ended its own answer with; perhaps what to try. */
const oneLine = (err: string) => assert.match(err, /^[^\n]+\n\n?(Try [^\n]+\n)?$/)

describe("a registry with a login and a certificate of its own authority", () => {
  it("is refused without the authority, naming the host", async () => {
    const { code, err } = await regctl("tag", "ls", `${secured.host}/app`)
    assert.strictEqual(code, 1)
    oneLine(err)
    assert.include(err, secured.host)
    assert.match(err, /certificate/)
  })

  it("is used with the authority and the login configured, and the secret is nowhere to be read", async () => {
    await must(process.execPath, [tool("regctl"), "registry", "set", secured.host, "--cacert", ca, "--skip-check"], {
      env
    })
    const login = await run(process.execPath, [
      tool("regctl"),
      "registry",
      "login",
      secured.host,
      "-u",
      "ada",
      "--pass-stdin"
    ], {
      env,
      input: "lovelace\n"
    })
    assert.deepStrictEqual(login, { code: 0, out: "", err: "" })
    const copied = await regctl("image", "copy", "-v", "trace", `ocidir://${layout}:v1`, `${secured.host}/app:v1`)
    assert.strictEqual(copied.code, 0, copied.err)
    assert.notInclude(copied.err + copied.out, "lovelace")
    assert.notInclude(copied.err, Buffer.from("ada:lovelace").toString("base64"))
    assert.strictEqual((await regctl("tag", "ls", `${secured.host}/app`)).out, "v1\n")
    assert.strictEqual((await regctl("registry", "whoami", secured.host)).out, "ada\n")
    assert.notInclude((await regctl("registry", "config")).out, "lovelace")
    await secured.requests()
    await regctl("image", "copy", `ocidir://${layout}:v1`, `${secured.host}/app:v2`)
    const refused = (await secured.requests()).filter(({ status }) => status === 401)
    assert.isAtMost(refused.length, 1, "one 401 teaches the login for the run")
  })

  it("refuses a wrong password with one line and what to try", async () => {
    const { code, err } = await regctl(
      "--host",
      `reg=${secured.host},user=ada,pass=wrong`,
      "tag",
      "ls",
      `${secured.host}/app`
    )
    assert.strictEqual(code, 1)
    assert.match(err.trimEnd().split("\n").at(-1) ?? "", /^Try another login with /)
    assert.match(err.trimEnd().split("\n").at(-2) ?? "", /^failed to list tags for .*unauthorized/)
    assert.notInclude(err, "    at ")
    assert.notInclude(err, "wrong")
  })
})

describe("a mistake", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, RegExp]> = [
    ["an unknown host", ["tag", "ls", "no-such-host.invalid/app"], /no-such-host\.invalid/],
    [
      "a bad reference",
      ["tag", "ls", "Bad/Reference"],
      /^invalid reference "Bad\/Reference", repo must be lowercase\n$/
    ],
    ["a bad flag", ["tag", "ls", "--nope", "a/b"], /^unknown flag: --nope\n$/],
    ["a missing argument", ["image", "copy"], /^accepts 2 arg\(s\), received 0\n$/],
    ["an unknown command", ["imago"], /^unknown command "imago" for "regctl"/],
    ["a bad template", ["version", "--format", "{{"], /^template: out:1: /],
    ["an unknown field", ["ref", "a:b", "--format", "{{.Nope}}"], /can't evaluate field Nope/],
    [
      "an absent layout",
      ["tag", "ls", "ocidir://absent"],
      /oci-layout cannot be open: open absent\/oci-layout: no such file or directory\n$/
    ]
  ]
  it.each(cases)("such as %s gives one clear message and status 1", async (_, args, expected) => {
    const { code, err, out } = await regctl(...args)
    assert.strictEqual(code, 1, out + err)
    assert.match(err, expected)
    assert.notInclude(err, "    at ")
    assert.strictEqual(out, "")
  })

  it("such as a missing image names the reference and the status", async () => {
    const { code, err } = await regctl("manifest", "get", `${plain.host}/nothing:v1`)
    assert.strictEqual(code, 1)
    assert.match(
      err,
      new RegExp(`^failed to get manifest ${plain.host}/nothing:v1: request failed: not found \\[http 404\\]: `)
    )
    oneLine(err)
  })

  it("such as a port where nothing listens names host and port", async () => {
    const port = await freePort()
    const { code, err } = await regctl(
      "--host",
      `reg=127.0.0.1:${port},tls=disabled`,
      "tag",
      "ls",
      `127.0.0.1:${port}/app`
    )
    assert.strictEqual(code, 1)
    oneLine(err)
    assert.include(err, `127.0.0.1:${port}`)
  })

  it("such as https to a plain registry says how to configure it", async () => {
    const { code, err } = await regctl("--host", `reg=${plain.host},tls=enabled`, "tag", "ls", `${plain.host}/app`)
    assert.strictEqual(code, 1)
    assert.include(err, "http: server gave HTTP response to HTTPS client")
    assert.include(err, "Try updating your registry with \"regctl registry set --tls disabled <registry>\"")
  })
})
