/** Files read out of layers, and layers, configurations and manifests compared: layouts and two registries. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { addBlob, addImage, blobPath, makeLayout, type Named, ociIndex, tagAll } from "../support/layouts.ts"
import { must, type Ran, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"
import { plant, tarOf } from "../support/tars.ts"

const { path: dir, remove } = temporary("files")
const layout = join(dir, "layout")
const app = `ocidir://${layout}:v1`
const gzipped = "application/vnd.oci.image.layer.v1.tar+gzip"
const registries: Array<Running> = []
let layers: ReadonlyArray<Named> = []
let other: Named

const regctl = (...args: ReadonlyArray<string>): Promise<Ran> =>
  run(process.execPath, [tool("regctl"), ...args], {
    cwd: dir,
    env: { REGCTL_CONFIG: join(dir, "regctl.json"), HOME: dir, DOCKER_CONFIG: dir, TZ: "UTC" }
  })

beforeAll(async () => {
  makeLayout(layout)
  const tree = (at: number, files: Parameters<typeof plant>[1]) => tarOf(plant(join(dir, `tree${at}`), files))
  layers = [
    addBlob(
      layout,
      gzipSync(tree(1, {
        "etc/passwd": "root\n",
        "etc/old": "old",
        "d/x": "X1",
        "d/y": "Y1",
        "o/a": "OA",
        "bin/sh": { link: "busybox" },
        "empty": ""
      })),
      gzipped
    ),
    addBlob(
      layout,
      zstdCompressSync(tree(2, { "etc/.wh.old": "", ".wh.d": "", "o/.wh..wh..opq": "", "o/b": "OB" })),
      "application/vnd.oci.image.layer.v1.tar+zstd"
    ),
    addBlob(layout, tree(3, { "d/.wh..wh..opq": "", "d/x": "X3", "big": Buffer.alloc(3_000_000, "0123456789abcde\n") }))
  ]
  const [first] = layers
  other = addBlob(layout, gzipSync(tree(4, { "etc/passwd": "toor\n", "etc/old": "old", "new": "new" })), gzipped)
  const v1 = addImage(layout, layers)
  const v2 = addImage(layout, first === undefined ? [] : [first, other], { annotations: { "org.example.a": "<&>" } })
  const index = {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [{ ...v1, platform: { os: "linux", architecture: "s390x" } }]
  }
  const all = addBlob(layout, JSON.stringify(index), ociIndex)
  tagAll(layout, { v1, v2, all })
  registries.push(await dockerRegistry(), await ownRegistry())
  writeFileSync(
    join(dir, "regctl.json"),
    JSON.stringify({ hosts: Object.fromEntries(registries.map(({ host }) => [host, { tls: "disabled" }])) })
  )
  for (const { host } of registries) {
    for (const tag of ["v1", "v2"]) {
      await must(
        process.execPath,
        [tool("regctl"), "image", "copy", `ocidir://${layout}:${tag}`, `${host}/app:${tag}`],
        {
          env: { REGCTL_CONFIG: join(dir, "regctl.json") }
        }
      )
    }
  }
})
afterAll(async () => {
  for (const it of registries) await it.stop()
  remove()
})

describe("image get-file", () => {
  const found: ReadonlyArray<readonly [name: string, content: string]> = [
    ["/etc/passwd", "root\n"],
    ["./etc//passwd", "root\n"],
    ["d/../etc/passwd", "root\n"],
    ["d/x", "X3"],
    ["o/b", "OB"],
    ["empty", ""],
    ["bin/sh", ""]
  ]
  it.each(found)("takes %s from the last layer that has it", async (name, content) => {
    assert.deepStrictEqual(await regctl("image", "get-file", app, name), { code: 0, out: content, err: "" })
  })

  const absent: ReadonlyArray<readonly [name: string, why: string]> = [
    ["etc/old", "failed pulling from layer 1: file deleted"],
    ["d/y", "failed pulling from layer 2: file deleted"],
    ["o/a", "failed pulling from layer 1: file deleted"],
    ["nope", "not found"],
    ["/", "not found"],
    ["../etc/passwd", "not found"],
    [".wh.d", "failed pulling from layer 2: .wh. prefix is reserved for whiteout files"]
  ]
  it.each(absent)("fails for %s: %s", async (name, why) => {
    assert.deepStrictEqual(await regctl("image", "cat", app, name), { code: 1, out: "", err: `${why}\n` })
  })

  it("reads from every registry as from a layout", async () => {
    for (const { host } of registries) {
      const { code, err, out } = await regctl("image", "get-file", `${host}/app:v1`, "big")
      assert.strictEqual(err, "")
      assert.strictEqual(code, 0)
      assert.strictEqual(out, "0123456789abcde\n".repeat(187_500))
      const gone = await regctl("image", "get-file", `${host}/app:v1`, "etc/old")
      assert.deepStrictEqual(gone, { code: 1, out: "", err: "failed pulling from layer 1: file deleted\n" })
    }
  })

  it("chooses a platform of an index, and names what there is when it lacks it", async () => {
    const all = `ocidir://${layout}:all`
    assert.strictEqual((await regctl("image", "get-file", all, "d/x", "-p", "linux/s390x")).out, "X3")
    const { code, err } = await regctl("image", "get-file", all, "d/x", "--platform", "linux/riscv64")
    assert.strictEqual(code, 1)
    assert.strictEqual(err, "platform not found: linux/riscv64 (there are linux/s390x)\n")
    const bad = await regctl("image", "get-file", all, "d/x", "--platform", "linux/a/b/c/d")
    assert.strictEqual(bad.code, 1)
    assert.match(bad.err, /^failed to parse platform linux\/a\/b\/c\/d: /)
  })

  it("shows the header of a file by a template", async () => {
    const format = "{{.Header.Name}} {{.Header.Size}} {{.Header.ModTime.Unix}} {{.Header.Format}} {{.Header.Mode}}"
    const { out } = await regctl("image", "get-file", app, "etc/passwd", "--format", format)
    assert.strictEqual(out, "./etc/passwd 5 1600000000 USTAR 420")
  })

  it("accepts two or three arguments", async () => {
    const { code, err } = await regctl("image", "get-file", app)
    assert.deepStrictEqual([code, err], [1, "accepts between 2 and 3 arg(s), received 1\n"])
  })
})

describe("blob get-file", () => {
  const get = (at: number, ...args: ReadonlyArray<string>) =>
    regctl("blob", "get-file", `ocidir://${layout}`, layers[at]?.digest ?? "", ...args)

  it("reads one layer", async () => {
    assert.deepStrictEqual(await get(1, "o/b"), { code: 0, out: "OB", err: "" })
    assert.deepStrictEqual(await get(1, "etc/old"), { code: 1, out: "", err: "file deleted\n" })
    assert.deepStrictEqual(await get(1, "d/x"), { code: 1, out: "", err: "file deleted\n" })
    assert.deepStrictEqual(await get(1, "nope"), { code: 1, out: "", err: "file not found\n" })
    assert.deepStrictEqual(await get(2, "d/x"), { code: 0, out: "X3", err: "" })
  })

  it("gives a header as JSON", async () => {
    const { out } = await get(0, "bin/sh", "--format", "{{json .}}")
    assert.strictEqual(
      out,
      `{"Header":{"Typeflag":50,"Name":"./bin/sh","Linkname":"busybox","Size":0,"Mode":511,"Uid":0,"Gid":0,` +
        `"Uname":"","Gname":"","ModTime":"2020-09-13T12:26:40Z","AccessTime":"0001-01-01T00:00:00Z",` +
        `"ChangeTime":"0001-01-01T00:00:00Z","Devmajor":0,"Devminor":0,"Xattrs":null,"PAXRecords":null,"Format":2},` +
        `"Reader":{}}\n`
    )
  })

  it("writes to a file that keeps its mode, through a link", async () => {
    const file = join(dir, "kept")
    writeFileSync(file, "a longer text than before", { mode: 0o600 })
    symlinkSync("kept", join(dir, "link"))
    assert.deepStrictEqual(await get(0, "etc/passwd", join(dir, "link")), { code: 0, out: "", err: "" })
    assert.strictEqual(readFileSync(file, "utf8"), "root\n")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.strictEqual((await get(0, "empty", "empty-file")).code, 0)
    assert.strictEqual(readFileSync(join(dir, "empty-file"), "utf8"), "")
  })

  it("writes to what is no plain file as it is", async () => {
    assert.strictEqual((await get(0, "etc/passwd", "/dev/null")).code, 0)
    assert.isTrue(statSync("/dev/null").isCharacterDevice())
    // A named pipe, and one of the shell's own.
    const line = `"$NODE" "$REGCTL" blob get-file ${app} ${layers[0]?.digest} etc/passwd`
    const piped = await run("bash", ["-c", `mkfifo pipe && (cat pipe & ${line} pipe; wait) && ${line} >(cat) | cat`], {
      cwd: dir,
      env: { NODE: process.execPath, REGCTL: tool("regctl"), HOME: dir }
    })
    assert.deepStrictEqual(piped, { code: 0, out: "root\nroot\n", err: "" })
  })

  it("writes a file with the longest name there can be", async () => {
    const file = join(dir, "n".repeat(255))
    assert.strictEqual((await get(0, "etc/passwd", file)).code, 0)
    assert.isAbove(statSync(file).size, 0)
  })

  it("makes no file when there is nothing for it", async () => {
    const file = join(dir, "none")
    assert.strictEqual((await get(0, "nope", file)).code, 1)
    assert.isFalse(existsSync(file))
    const { err } = await get(0, "etc/passwd", join(dir, "no/such/dir"))
    assert.strictEqual(err, `open ${join(dir, "no/such/dir")}: no such file or directory\n`)
    assert.strictEqual((await get(0, "etc/passwd", dir)).err, `open ${dir}: is a directory\n`)
  })

  it("gives a file no name, and fails, when its layer is not what its digest says (C20)", async () => {
    const damaged = addBlob(layout, gzipSync(tarOf(plant(join(dir, "t5"), { "f": "right" }))), gzipped)
    writeFileSync(blobPath(layout, damaged.digest), gzipSync(tarOf(plant(join(dir, "t6"), { "f": "wrong" }))))
    const folder = join(dir, "out")
    plant(folder, { "f": "before" })
    const from = ["blob", "get-file", `ocidir://${layout}`, damaged.digest, "f"]
    for (const file of ["f", "g"]) {
      const { code, err } = await regctl(...from, join(folder, file))
      assert.strictEqual(code, 1)
      assert.match(err, /digest mismatch/)
    }
    assert.deepStrictEqual(readdirSync(folder), ["f"])
    assert.strictEqual(readFileSync(join(folder, "f"), "utf8"), "before")
    const { code, err } = await regctl(...from)
    assert.strictEqual(code, 1)
    assert.match(err, /digest mismatch/)
    const shown = await regctl(...from, "--format", "{{.Header.Name}}")
    assert.deepStrictEqual([shown.code, shown.out], [1, ""])
  })

  it("tells what is no layer, and a digest that is none", async () => {
    const text = addBlob(layout, "this is a text, no archive ".repeat(40))
    const { code, err } = await regctl("blob", "cat", `ocidir://${layout}`, text.digest, "f")
    assert.deepStrictEqual([code, err], [1, "tar is invalid: a header has a wrong checksum\n"])
    const bad = await regctl("blob", "cat", `ocidir://${layout}`, "sha256:abc", "f")
    assert.deepStrictEqual([bad.code, bad.err], [1, "invalid checksum digest length\n"])
  })
})

describe("blob diff-layer", () => {
  const diff = (...args: ReadonlyArray<string>) =>
    regctl("blob", "diff-layer", app, layers[0]?.digest ?? "", app, other.digest, ...args)

  it("compares entry by entry", async () => {
    const { code, err, out } = await diff("--context", "1")
    assert.strictEqual(err, "")
    assert.strictEqual(code, 0)
    const at = "2020-09-13T12:26:40Z"
    const line = (mark: string, mode: string, size: number, name: string, digest = "") =>
      `${mark} ${mode} 0/0 ${String(size).padStart(8)} ${at} ${name.padEnd(40)}${digest === "" ? "" : ` ${digest}`}`
    assert.deepStrictEqual(out.split("\n"), [
      "@@ -1,8 +1,2 @@",
      line(" ", "-rwxr-xr-x", 0, "./"),
      line("-", "-rwxr-xr-x", 0, "./bin/"),
      line("-", "-rwxrwxrwx", 0, "./bin/sh"),
      line("-", "-rwxr-xr-x", 0, "./d/"),
      line(
        "-",
        "-rw-r--r--",
        2,
        "./d/x",
        "sha256:ad667b78ba8ed0275868fcc1c3650f7d5c73fc6143352d3f65bbc292dc36a511"
      ),
      line(
        "-",
        "-rw-r--r--",
        2,
        "./d/y",
        "sha256:e7424eff12e0cabe5c45c15409aba4e859b80264588eb38c6cb0728772fc54b9"
      ),
      line("-", "-rw-r--r--", 0, "./empty"),
      line(" ", "-rwxr-xr-x", 0, "./etc/"),
      "@@ -9,4 +3,3 @@",
      line(
        " ",
        "-rw-r--r--",
        3,
        "./etc/old",
        "sha256:cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
      ),
      line(
        "-",
        "-rw-r--r--",
        5,
        "./etc/passwd",
        "sha256:53175bcc0524f37b47062fafdda28e3f8eb91d519ca0a184ca71bbebe72f969a"
      ),
      line("-", "-rwxr-xr-x", 0, "./o/"),
      line(
        "-",
        "-rw-r--r--",
        2,
        "./o/a",
        "sha256:a677a155342a846c76346b96a843bbcd550fc9532d6a44a9288b218f5d7b255b"
      ),
      line(
        "+",
        "-rw-r--r--",
        5,
        "./etc/passwd",
        "sha256:777f796f96aefb2df86322ba878f4b3aa3f9b48f4856df26325b636d710f5867"
      ),
      line(
        "+",
        "-rw-r--r--",
        3,
        "./new",
        "sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"
      ),
      ""
    ])
  })

  it("leaves times out when asked to", async () => {
    const { out } = await diff("--ignore-timestamp", "--context=0")
    assert.include(out, `- -rw-r--r-- 0/0        0 ./empty${" ".repeat(33)}\n`)
    assert.notInclude(out, "2020")
  })

  it("prints a newline for layers that are the same, wherever they are", async () => {
    const digest = layers[1]?.digest ?? ""
    for (const { host } of registries) {
      const ran = await regctl("blob", "diff-layer", app, digest, `${host}/app`, digest)
      assert.deepStrictEqual(ran, { code: 0, out: "\n", err: "" })
    }
  })
})

describe("blob diff-config", () => {
  const config = (document: object | string) => addBlob(layout, JSON.stringify(document)).digest
  const diff = (a: string, b: string, ...args: ReadonlyArray<string>) =>
    regctl("blob", "diff-config", `ocidir://${layout}`, a, `ocidir://${layout}`, b, ...args)

  it("compares line by line, what HTML minds written out", async () => {
    const a = config({ architecture: "amd64", os: "linux", config: { Cmd: ["/bin/sh", "-c", "a <b"] } })
    const b = config({ architecture: "arm64", os: "linux", config: { Cmd: ["/bin/sh", "-c", "a >b"] } })
    const { out } = await diff(a, b, "--context", "1")
    assert.strictEqual(
      out,
      `@@ -1,3 +1,3 @@\n  {\n-   "architecture": "amd64",\n+   "architecture": "arm64",\n    "os": "linux",\n` +
        `@@ -7,3 +7,3 @@\n        "-c",\n-       "a \\u003cb"\n+       "a \\u003eb"\n      ]\n`
    )
    assert.strictEqual((await diff(a, a)).out, "\n")
    assert.match((await diff(a, b, "--context-full")).out, /^@@ -1,11 \+1,11 @@\n/)
  })

  it("refuses what is no configuration", async () => {
    const { code, err } = await diff(config(["a"]), config({}))
    assert.strictEqual(code, 1)
    assert.match(err, /^error unmarshaling image config: /)
  })
})

describe("manifest diff", () => {
  it("compares manifests of one place or two", async () => {
    const expected = [
      `+   "annotations": {`,
      `+     "org.example.a": "\\u003c\\u0026\\u003e"`,
      "+   }"
    ]
    const places = [`ocidir://${layout}`, ...registries.map(({ host }) => `${host}/app`)]
    for (const [at, place] of places.entries()) {
      const next = places[(at + 1) % places.length]
      const { code, err, out } = await regctl("manifest", "diff", `${place}:v1`, `${next}:v2`)
      assert.strictEqual(err, "")
      assert.strictEqual(code, 0)
      for (const line of expected) assert.include(out.split("\n"), line)
    }
    assert.deepStrictEqual(await regctl("manifest", "diff", app, app), { code: 0, out: "\n", err: "" })
  })

  it("compares an index as it is", async () => {
    const { out } = await regctl("manifest", "diff", `ocidir://${layout}:all`, app, "--context-full")
    assert.include(out, `-         "architecture": "s390x"\n`)
  })

  it("fails for a reference that is none, and for what is not there", async () => {
    const bad = await regctl("manifest", "diff", app, "a..b")
    assert.deepStrictEqual([bad.code, bad.out], [1, ""])
    assert.match(bad.err, /^invalid reference/)
    const absent = await regctl("manifest", "diff", app, `ocidir://${layout}:v9`)
    assert.strictEqual(absent.code, 1)
    assert.match(absent.err, /could not find entry in index\.json/)
  })
})
