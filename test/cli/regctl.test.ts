import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root, run, type RunOptions, tool } from "../support/programs.ts"

const regctl = (args: ReadonlyArray<string>, options?: RunOptions) =>
  run(process.execPath, [tool("regctl"), ...args], options)
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

describe("regctl version", () => {
  it("shows the build in two columns", async () => {
    const { code, err, out } = await regctl(["version"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    const lines = out.trimEnd().split("\n")
    assert.deepStrictEqual(lines.map((line) => line.slice(0, 12)), [
      "VCSTag:     ",
      "VCSRef:     ",
      "VCSCommit:  ",
      "VCSState:   ",
      "VCSDate:    ",
      "Platform:   ",
      "GoVer:      ",
      "GoCompiler: "
    ])
    assert.strictEqual(lines[0], `VCSTag:     v${version}`)
    assert.match(lines[5] ?? "", /^Platform: {3}(linux|darwin|windows)\/(amd64|arm64)$/)
  })

  it("gives a field to a template", async () =>
    assert.deepStrictEqual(await regctl(["version", "--format", "{{.VCSTag}}"]), {
      code: 0,
      out: `v${version}`,
      err: ""
    }))
})

describe("regctl ref", () => {
  for (
    const [args, out] of [
      [["ref", "nginx"], "docker.io/library/nginx:latest"],
      [["ref", "nginx", "--format", "{{ .Registry }}"], "docker.io"],
      [["--format", "{{.Tag}}", "ref", "localhost:5000/a/b:v1"], "v1"],
      [["-vwarn", "ref", "ocidir://dir:v1"], "ocidir://dir:v1"],
      [["ref", "nginx", "--format="], ""]
    ] as const
  ) {
    it(`prints ${out || "nothing"} for ${args.join(" ")}`, async () =>
      assert.deepStrictEqual(await regctl(args), { code: 0, out, err: "" }))
  }

  it("names what it cannot read", async () =>
    assert.deepStrictEqual(await regctl(["ref", "A/b"]), {
      code: 1,
      out: "",
      err: "failed to parse A/b: invalid reference \"A/b\", repo must be lowercase\n"
    }))
})

describe("regctl digest", () => {
  const hello = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
  it("is that of stdin, without a newline", async () =>
    assert.deepStrictEqual(await regctl(["digest"], { input: "hello\n" }), {
      code: 0,
      out: `sha256:${hello}`,
      err: ""
    }))

  it("reads more than a pipe holds", async () => {
    const { out } = await regctl(["digest", "--algorithm", "sha512", "--format", "{{ .Algorithm }}"], {
      input: Buffer.alloc(3_000_000)
    })
    assert.strictEqual(out, "sha512")
  })

  it("refuses other algorithms", async () =>
    assert.deepStrictEqual(await regctl(["digest", "--algorithm", "md5"]), {
      code: 1,
      out: "",
      err: "digest algorithm md5 is not available\n"
    }))
})

describe("a command line", () => {
  const failures: ReadonlyArray<readonly [args: ReadonlyArray<string>, err: string]> = [
    [["tag", "ls", "--nope"], "unknown flag: --nope\n"],
    [["versio"], "unknown command \"versio\" for \"regctl\"\n\nDid you mean this?\n\tversion\n\n"],
    [["image", "copy", "a"], "accepts 2 arg(s), received 1\n"],
    [["image", "copy", "FOO", "b"], "invalid reference \"FOO\", repo must be lowercase\n"],
    [
      ["tag", "ls", "--include", "(", "a"],
      "failed to parse regexp \"(\": error parsing regexp: missing closing ): `^($`\n"
    ],
    [["tag", "delete", `a@sha256:${"0".repeat(64)}`], "tag missing from image reference\n"],
    [["manifest", "delete", "a"], "digest required to delete manifest, reference docker.io/library/a:latest\n"],
    [["blob", "get", "a", "sha256:1"], "invalid checksum digest length\n"],
    [["blob", "put", "a", "--digest", "x"], "invalid checksum digest format\n"],
    [
      ["image", "copy", "--referrers-src", "c", "a", "b"],
      "referrers must be enabled to specify an external referrers source or target\n"
    ],
    [
      ["manifest", "get", "-plocal", "--require-list", "a"],
      "cannot request a platform and require-list simultaneously\n"
    ]
  ]
  for (const [args, err] of failures) {
    it(`${args.join(" ")} fails with one text and no output`, async () =>
      assert.deepStrictEqual(await regctl(args), { code: 1, out: "", err }))
  }

  it("asks for help on stdout", async () => {
    const { code, err, out } = await regctl(["tag"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    assert.isTrue(out.endsWith("Use \"regctl tag [command] --help\" for more information about a command.\n"))
    assert.strictEqual((await regctl(["help", "tag", "ls"])).out, (await regctl(["tag", "list", "-h"])).out)
  })

  it("asks for an unknown topic and is shown the usage on stderr", async () => {
    const { code, err, out } = await regctl(["help", "foo"])
    assert.deepStrictEqual({ code, out }, { code: 0, out: "" })
    assert.isTrue(err.startsWith("Unknown help topic [`foo`]\nUsage:\n  regctl [command]\n"))
  })
})

describe("regsync and regbot", () => {
  for (const name of ["regsync", "regbot"] as const) {
    it(`${name} has help and a version`, async () => {
      const tagOf = await run(process.execPath, [tool(name), "version", "--format", "{{.VCSTag}}"])
      assert.deepStrictEqual(tagOf, { code: 0, out: `v${version}`, err: "" })
      assert.include((await run(process.execPath, [tool(name), "--help"])).out, `Usage:\n  ${name} [command]\n`)
    })
  }
})

/** A command that waits for stdin, once it does. */
const waiting = async () => {
  const child = spawn(process.execPath, [tool("regctl"), "digest", "-v", "trace"], { stdio: ["pipe", "pipe", "pipe"] })
  const err: Array<string> = []
  child.stderr.on("data", (it: Buffer) => err.push(it.toString()))
  // Drained once the process reads: the write below is larger than a pipe.
  await new Promise((resolve) => child.stdin.write(Buffer.alloc(1_000_000), resolve))
  return { child, err }
}

describe("a signal", () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`${signal} ends a command with \`context canceled\``, async () => {
      const { child, err } = await waiting()
      child.kill(signal)
      const [code] = await once(child, "close")
      assert.deepStrictEqual({ code, err: err.join("") }, { code: 1, err: "context canceled\n" })
    })
  }
})

describe("output that is closed early", () => {
  it("ends a command quietly", async () => {
    const child = spawn(process.execPath, [tool("regctl"), "image", "copy", "--help"], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    child.stdout.destroy()
    const err: Array<string> = []
    child.stderr.on("data", (it: Buffer) => err.push(it.toString()))
    const [code] = await once(child, "close")
    assert.deepStrictEqual({ code, err: err.join("") }, { code: 1, err: "" })
  })
})
