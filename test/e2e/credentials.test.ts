/** Who the tool is at a registry, where it learned that, and that nobody else learns it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { basic, basicRegistry, type Guard, tokenRegistry } from "../support/guards.ts"
import { homes, lastRecord } from "../support/homes.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("credentials")
const at = (name: string): string => join(dir.path, name)
const [user, password, identity, token] = ["ada", "Sec-ret:1843", "Id-entity-1843", "To-ken-1843"]
const login = basic(user, password)
const auth = login.slice("Basic ".length)

/** What nobody may read anywhere, in any run. */
const { home, talkative } = homes(dir.path, [password, auth, identity, token])
type Home = ReturnType<typeof home>

const ls = (host: string, repository = "app") => ["tag", "ls", `${host}/${repository}`]
const plain = (host: string) => ({ hosts: { [host]: { tls: "disabled" } } })

const helper = (name: string, script: string) => {
  const path = at(`bin/docker-credential-${name}`)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
}

let guarded: Guard
let tokens: Guard
beforeAll(async () => {
  mkdirSync(at("bin"))
  guarded = await basicRegistry(() => [login])
  tokens = await tokenRegistry({ login, identity, token })
})
afterAll(async () => {
  await guarded?.stop()
  await tokens?.stop()
  dir.remove()
})

describe("a login", () => {
  const auths = () => ({ auths: { [guarded.host]: { auth } } })
  const sources: ReadonlyArray<readonly [string, () => { at: Home; env?: object; args?: ReadonlyArray<string> }]> = [
    [
      "docker's config.json",
      () => ({ at: home({ "docker/config.json": auths(), "regctl.json": plain(guarded.host) }) })
    ],
    ["DOCKER_AUTH_CONFIG", () => ({
      at: home({ "regctl.json": plain(guarded.host) }),
      env: { DOCKER_AUTH_CONFIG: JSON.stringify(auths()) }
    })],
    ["REGISTRY_AUTH_FILE", () => {
      const it = home({ "auth.json": auths(), "regctl.json": plain(guarded.host) })
      return { at: it, env: { REGISTRY_AUTH_FILE: join(it.path, "auth.json") } }
    }],
    ["containers/auth.json", () => {
      const it = home({ "run/containers/auth.json": auths(), "regctl.json": plain(guarded.host) })
      return { at: it, env: { XDG_RUNTIME_DIR: join(it.path, "run") } }
    }],
    ["regctl's configuration", () => ({
      at: home({ "regctl.json": { hosts: { [guarded.host]: { tls: "disabled", user, pass: password } } } })
    })],
    ["--host", () => ({
      at: home(),
      args: ["--host", `reg=${guarded.host},user=${user},pass=${password},tls=disabled`]
    })],
    ["a credHelper", () => {
      helper(
        "good",
        `printf '%s' "$*" >> "$HOME/asked"; cat >> "$HOME/asked"; echo '{"Username":"${user}","Secret":"${password}"}'`
      )
      return {
        at: home({
          "docker/config.json": { credHelpers: { [guarded.host]: "good" } },
          "regctl.json": plain(guarded.host)
        })
      }
    }],
    ["a credsStore", () => ({
      at: home({ "docker/config.json": { credsStore: "good" }, "regctl.json": plain(guarded.host) })
    })]
  ]
  it.each(sources)("of %s is found", async (name, make) => {
    const { args = [], at: place, env = {} } = make()
    guarded.seen.length = 0
    const ran = await talkative(place, [...args, ...ls(guarded.host)], { env: { ...env } })
    assert.deepStrictEqual([ran.code, ran.out], [0, "v1\n"], ran.err)
    assert.deepStrictEqual(guarded.seen, ["app nobody", "app in"])
    if (name.startsWith("a cred")) {
      // Once, with one word as argument, the host on stdin (faults A04, A05).
      assert.strictEqual(readFileSync(join(place.path, "asked"), "utf8").trim(), `get${guarded.host}`)
    }
  })

  it("that is wrong names where it was found, not what it is", async () => {
    const wrong = "Wr-ong-1843"
    const place = home({
      "docker/config.json": { auths: { [guarded.host]: { auth: Buffer.from(`ada:${wrong}`).toString("base64") } } },
      "regctl.json": plain(guarded.host)
    })
    const ran = await talkative(place, ls(guarded.host))
    assert.strictEqual(ran.code, 1)
    assert.strictEqual(lastRecord(ran).reason, "Unauthorized")
    assert.include(ran.err.trimEnd().split("\n").at(-2), join(place.path, "docker/config.json"))
    assert.notInclude(ran.err, wrong)
  })

  it("A07: of a look-alike name is not used", async () => {
    const port = guarded.host.split(":")[1]
    const names = [`127.0.0.1:1${port}`, "127.0.0.1", `x127.0.0.1:${port}`, `${guarded.host}.example.org`].concat(
      [
        "docker.io",
        "https://index.docker.io/v1/",
        `${guarded.host}.`,
        `example.org/${guarded.host}`,
        `${guarded.host}/App`
      ]
    )
    const place = home({
      "docker/config.json": { auths: Object.fromEntries(names.map((it) => [it, { auth }])) },
      "regctl.json": plain(guarded.host)
    })
    guarded.seen.length = 0
    assert.strictEqual((await talkative(place, ls(guarded.host))).code, 1)
    assert.deepStrictEqual(guarded.seen, ["app nobody"])
  })

  it("A06: that cannot be read is left out with a warning, and the rest works", async () => {
    const bad = {
      "a.example": { auth: "%%%" },
      "b.example": { auth: Buffer.from(password.replace(":", "")).toString("base64") }
    }
    const place = home({
      "docker/config.json": { auths: { ...bad, "c.example/path": { auth }, [guarded.host]: { auth } } },
      "regctl.json": plain(guarded.host)
    })
    const ran = await talkative(place, ls(guarded.host))
    assert.strictEqual(ran.out, "v1\n")
    const warned = ran.err.split("\n").filter((it) => it.includes("Failed to load docker creds"))
    assert.lengthOf(warned, 3)
    assert.notInclude(ran.err, password.replace(":", ""))
  })

  it("A08: with a line break is refused before it is used", async () => {
    const logins = [
      `ada:x\r\nInjected: ${password}`,
      `ada:x\n${password}`,
      `ada:x\0${password}`,
      `a\rda:${password}`,
      `a\0da:${password}`
    ]
    for (const login of logins) {
      const broken = Buffer.from(login).toString("base64")
      const place = home({
        "docker/config.json": { auths: { [guarded.host]: { auth: broken } } },
        "regctl.json": plain(guarded.host)
      })
      guarded.seen.length = 0
      const ran = await talkative(place, ls(guarded.host))
      assert.strictEqual(ran.code, 1)
      assert.include(ran.err, "line break")
      assert.strictEqual(lastRecord(ran).reason, "CredInvalid")
      assert.notInclude(ran.err, broken)
      assert.deepStrictEqual(guarded.seen, ["app nobody"])
    }
  })

  it("K01: in a file that is no JSON is told with its place, without its content", async () => {
    const place = home({
      "docker/config.json": `{"auths": {\n  "x": {"auth": "${auth}",,}}}`,
      "regctl.json": plain(guarded.host)
    })
    const ran = await talkative(place, ls(guarded.host))
    assert.strictEqual(ran.code, 1)
    assert.match(ran.err, /\[2:\d+\]/)
  })

  it("of a part of a registry, as podman keeps them, counts for what is below it", async () => {
    const other = basic("ada", "another")
    const parts = await basicRegistry((repository) => repository.startsWith("team/") ? [login] : [other])
    const place = home({
      "auth.json": {
        auths: {
          [`${parts.host}/team`]: { auth },
          [`${parts.host}/team/secret`]: { auth: Buffer.from("no:no").toString("base64") },
          [parts.host]: { auth: other.slice(6) }
        }
      },
      "regctl.json": plain(parts.host)
    })
    const env = { REGISTRY_AUTH_FILE: join(place.path, "auth.json") }
    for (const repository of ["team/app", "team", "teams/app", "app"]) {
      const ran = await talkative(place, ls(parts.host, repository), { env })
      assert.strictEqual(ran.code, repository === "team" ? 1 : 0, repository + ran.err)
    }
    assert.strictEqual((await talkative(place, ls(parts.host, "team/secret/app"), { env })).code, 1)
    await parts.stop()
  })
})

describe("a credential helper", () => {
  const bad: ReadonlyArray<readonly [string, string, string, RegExp]> = [
    ["A01", "fails", `echo "${password}" ; exit 3`, /exit status 3/],
    ["A01", "crashes", "kill -SEGV $$", /Credential helper failed/],
    ["A03", "prints garbage", `echo "garbage ${password}"`, /not understood/],
    ["A03", "prints {}", "echo '{}'", /not understood/],
    ["A03", "prints without end", `yes "${password}"`, /longer than 1048576 bytes/],
    ["A03", "prints no UTF-8", `printf '{"Username":"a","Secret":"\\377${password}"}'`, /not understood/]
  ]
  it.each(bad)(
    "%s: that %s is a warning with its name and the host, and a 401 follows",
    async (_, name, script, text) => {
      const program = name.replace(/\W/g, "")
      helper(program, script)
      const place = home({
        "docker/config.json": { credHelpers: { [guarded.host]: program } },
        "regctl.json": plain(guarded.host)
      })
      const ran = await talkative(place, ls(guarded.host))
      assert.strictEqual(ran.code, 1)
      const warned = ran.err.split("\n").find((it) => it.includes("Credential helper failed")) ?? ""
      assert.match(warned, text)
      assert.include(warned, `docker-credential-${program}`)
      assert.include(warned, guarded.host)
      assert.strictEqual(lastRecord(ran).reason, "Unauthorized")
    }
  )

  it("A01: that is missing or not executable is a warning; one without an answer is not", async () => {
    const asked = async (program: string) => {
      const config = { credHelpers: { [guarded.host]: program } }
      const ran = await talkative(
        home({ "docker/config.json": config, "regctl.json": plain(guarded.host) }),
        ls(guarded.host)
      )
      assert.strictEqual(ran.code, 1)
      return ran.err
    }
    assert.match(await asked("absent"), /Credential helper failed.*not found/)
    writeFileSync(at("bin/docker-credential-plain"), "#!/bin/sh\n")
    assert.match(await asked("plain"), /Credential helper failed/)
    helper("empty", "echo 'credentials not found in native keychain'; exit 1")
    assert.notMatch(await asked("empty"), /Credential helper failed/)
  })

  it("A04: with a name that leads elsewhere is not run", async () => {
    writeFileSync(at("evil"), `#!/bin/sh\ntouch ${at("ran")}\n`, { mode: 0o755 })
    for (const name of ["../evil", "a b", "", "x/../../evil", "$(touch x)"]) {
      const config = { credHelpers: { [guarded.host]: name } }
      const ran = await talkative(
        home({ "docker/config.json": config, "regctl.json": plain(guarded.host) }),
        ls(guarded.host)
      )
      assert.strictEqual(ran.code, 1)
    }
    assert.isFalse(existsSync(at("ran")))
  })

  it("gives an identity token, which is exchanged by POST", async () => {
    helper("identity", `echo '{"Username":"<token>","Secret":"${identity}"}'`)
    const config = { credHelpers: { [tokens.host]: "identity" } }
    tokens.seen.length = 0
    const ran = await talkative(
      home({ "docker/config.json": config, "regctl.json": plain(tokens.host) }),
      ls(tokens.host)
    )
    assert.strictEqual(ran.out, "v1\n", ran.err)
    assert.include(tokens.seen, "POST /token repository:app:pull in")
  })
})

describe("a token", () => {
  const entries: ReadonlyArray<readonly [string, object, string]> = [
    ["a password, by GET", { auth }, "GET"],
    ["an identity token, by POST", { identitytoken: identity, auth: Buffer.from("ada:").toString("base64") }, "POST"]
  ]
  it.each(entries)("is had for %s", async (_, entry, method) => {
    const place = home({
      "docker/config.json": { auths: { [tokens.host]: entry } },
      "regctl.json": plain(tokens.host)
    })
    tokens.seen.length = 0
    const ran = await talkative(place, ls(tokens.host))
    assert.strictEqual(ran.out, "v1\n", ran.err)
    assert.deepStrictEqual(tokens.seen, [
      "GET /v2/app/tags/list out",
      `${method} /token repository:app:pull in`,
      "GET /v2/app/tags/list in"
    ])
  })
})
