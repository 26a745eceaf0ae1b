/** Layouts with content made to be lost, or that was damaged: what a tag reaches stays, or comes again (faults L07, L08, D1, D5). */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { regctlHere } from "../support/inProcess.ts"
import {
  addBlob,
  addImage,
  blobPath,
  digestOf,
  judge,
  makeLayout,
  type Named,
  ociIndex,
  tagAll
} from "../support/layouts.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("layout-content")
afterAll(() => dir.remove())
const at = (name: string) => join(dir.path, name)
const regctl = (...args: ReadonlyArray<string>) =>
  regctlHere(["--logopt", "json", ...args], { config: join(dir.path, "none.json") })
const ref = (name: string, reference: string) => `ocidir://${at(name)}${reference}`
const done = async (...args: ReadonlyArray<string>) => {
  const { code, err } = await regctl(...args)
  assert.strictEqual(code, 0, err)
}
const failed = async (reason: string, ...args: ReadonlyArray<string>) => {
  const { code, err } = await regctl(...args)
  assert.strictEqual(code, 1, err)
  assert.include(err, `"reason":"${reason}"`)
  return err
}
const index = (layout: string, manifests: ReadonlyArray<Named>): Named =>
  addBlob(at(layout), JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }), ociIndex)
const whole = (layout: string, tags: Readonly<Record<string, Named>>) => {
  const found = judge(at(layout))
  assert.deepStrictEqual(found.problems, [])
  assert.deepStrictEqual(found.extra, [])
  assert.deepStrictEqual(found.tags, Object.fromEntries(Object.entries(tags).map(([tag, it]) => [tag, it.digest])))
}

describe("a blob that is there already and was damaged (L07)", () => {
  const shared = digestOf("shared by both")
  const changes: ReadonlyArray<readonly [string, (path: string) => void]> = [
    ["cut", (path) => truncateSync(path, 3)],
    ["changed", (path) => writeFileSync(path, "SHARED BY BOTH")],
    ["gone", (path) => rmSync(path)],
    ["longer", (path) => writeFileSync(path, "and more", { flag: "a" })]
  ]
  it.each(changes)("comes again with the next image of its tag: %s", async (how, change) => {
    const [from, to] = [`from-${how}`, `to-${how}`]
    makeLayout(at(from))
    const [one, two, three] = ["one", "two", "three"].map((it) => addImage(at(from), ["shared by both", it]))
    assert.isDefined(one)
    assert.isDefined(two)
    assert.isDefined(three)
    const lists = [index(from, [one, two]), index(from, [one, three])] as const
    tagAll(at(from), { a1: one, a2: two, l1: lists[0], l2: lists[1] })
    for (const [first, second, digest] of [["a1", "a2", two], ["l1", "l2", lists[1]]] as const) {
      rmSync(at(to), { recursive: true, force: true })
      await done("image", "copy", ref(from, `:${first}`), ref(to, ":v1"))
      change(blobPath(at(to), shared))
      await done("image", "copy", ref(from, `:${second}`), ref(to, ":v1"))
      assert.strictEqual(readFileSync(blobPath(at(to), shared), "utf8"), "shared by both")
      whole(to, { v1: digest })
    }
  })
})

describe("bytes that are a manifest here and a layer there", () => {
  const prepare = (layout: string, mediaType?: string) => {
    makeLayout(at(layout))
    const inner = addImage(at(layout), ["inside"])
    return { inner, outer: addImage(at(layout), [mediaType === undefined ? inner : { ...inner, mediaType }]) }
  }
  it.each([["first", false], ["last", true]])("keep what they name, the manifest %s (D1, D5)", async (how, isLast) => {
    const { inner, outer } = prepare(`both-${how}`)
    const list = index(`both-${how}`, isLast ? [outer, inner] : [inner, outer])
    tagAll(at(`both-${how}`), { v1: list })
    await done("image", "copy", ref(`both-${how}`, ":v1"), ref(`both-${how}-copy`, ":v1"))
    whole(`both-${how}-copy`, { v1: list })
  })

  it("stay with the tags that reach them, whichever goes (D5)", async () => {
    const { inner, outer } = prepare("each", "application/vnd.oci.image.layer.v1.tar")
    tagAll(at("each"), { i: inner, o: outer })
    for (const [gone, kept] of [["i", "o"], ["o", "i"]] as const) {
      await done("image", "copy", ref("each", ":i"), ref("each-copy", ":i"))
      await done("image", "copy", ref("each", ":o"), ref("each-copy", ":o"))
      await done("tag", "delete", ref("each-copy", `:${gone}`))
      whole("each-copy", { [kept]: kept === "o" ? outer : inner })
    }
  })
})

describe("an index.json", () => {
  const entry = (layout: string, change: object) => {
    makeLayout(at(layout))
    const image = addImage(at(layout), ["layer"])
    tagAll(at(layout), { v1: { ...image, ...change } })
    return readFileSync(join(at(layout), "index.json"), "utf8")
  }
  it.each([
    ["a short digest", { digest: "sha256:abc" }, /invalid checksum digest length/],
    ["upper case", { digest: `sha256:${"A".repeat(64)}` }, /invalid checksum digest/],
    ["an unknown algorithm", { digest: `md5:${"0".repeat(32)}` }, /unsupported digest algorithm/],
    ["a climbing digest", { digest: "sha256:../../../../etc/passwd" }, /invalid checksum digest format/],
    ["no digest", { digest: "" }, /invalid checksum digest format/],
    ["an endless digest", { digest: `sha256:${"0".repeat(10_000_000)}` }, /invalid checksum digest/],
    ["a size below 0", { size: -1 }, /\["size"\]/],
    ["a broken size", { size: 1.5 }, /\["size"\]/],
    ["a size in quotes", { size: "1" }, /\["size"\]/],
    ["a size beyond all", { size: 2 ** 53 }, /\["size"\]/]
  ])("with %s is refused by readers and writers, and stays (C09, C10)", async (what, change, text) => {
    const layout = what.replaceAll(" ", "-")
    const before = entry(layout, change)
    makeLayout(at("plain"))
    tagAll(at("plain"), { v1: addImage(at("plain"), ["plain"]) })
    for (const args of [["tag", "ls", ref(layout, "")], ["image", "copy", ref("plain", ":v1"), ref(layout, ":v2")]]) {
      const err = await failed("LayoutInvalid", ...args)
      assert.match(err, text)
      assert.isBelow(err.length, 4_000)
    }
    assert.strictEqual(readFileSync(join(at(layout), "index.json"), "utf8"), before)
  })

  it("with a tag twice means the first, and the next write of it leaves one", async () => {
    makeLayout(at("twice"))
    const [one, two] = [addImage(at("twice"), ["one"]), addImage(at("twice"), ["two"])]
    tagAll(at("twice"), { v1: one })
    tagAll(at("twice"), { v1: two })
    assert.strictEqual((await regctl("image", "digest", ref("twice", ":v1"))).out, `${one.digest}\n`)
    assert.strictEqual((await regctl("tag", "ls", ref("twice", ""))).out, "v1\n")
    makeLayout(at("third"))
    const three = addImage(at("third"), ["three"])
    tagAll(at("third"), { v1: three })
    await done("image", "copy", ref("third", ":v1"), ref("twice", ":v1"))
    whole("twice", { v1: three })
  })

  it("with names that lead elsewhere makes nothing outside (K15)", async () => {
    makeLayout(at("names"))
    const image = addImage(at("names"), ["layer"])
    tagAll(at("names"), { "../../../up": image, "/abs": image, "x\u001b[31m": image, ok: image })
    mkdirSync(at("work"))
    await done("image", "export", ref("names", ":ok"), at("work/ok.tar"))
    await done("image", "copy", "--digest-tags", "--referrers", ref("names", ":ok"), ref("work/copy", ":ok"))
    const { err, out } = await regctl("repo", "copy", ref("names", ""), ref("work/all", ""))
    assert.notInclude(out + err, "\u001b")
    assert.isFalse(existsSync(at("up")))
    assert.isFalse(existsSync("/abs"))
    assert.deepStrictEqual(Object.keys(judge(at("work/all")).tags), ["ok"])
  })
})

describe("a blob that is no plain file (L08)", () => {
  it("is not written through when it is a link, and never waited for when it is a pipe", async () => {
    makeLayout(at("kinds"))
    const image = addImage(at("kinds"), ["the layer"])
    tagAll(at("kinds"), { v1: image })
    makeLayout(at("linked"))
    writeFileSync(at("outside"), "not yours")
    symlinkSync(at("outside"), blobPath(at("linked"), digestOf("the layer")))
    await done("image", "copy", ref("kinds", ":v1"), ref("linked", ":v1"))
    assert.strictEqual(readFileSync(at("outside"), "utf8"), "not yours")
    assert.isFalse(lstatSync(blobPath(at("linked"), digestOf("the layer"))).isSymbolicLink())
    whole("linked", { v1: image })
    rmSync(blobPath(at("kinds"), digestOf("the layer")))
    execFileSync("mkfifo", [blobPath(at("kinds"), digestOf("the layer"))])
    assert.include(await failed("FsIo", "image", "copy", ref("kinds", ":v1"), ref("piped", ":v1")), "not a plain file")
    assert.deepStrictEqual(judge(at("piped")).tags, {})
    rmSync(blobPath(at("kinds"), image.digest))
    execFileSync("mkfifo", [blobPath(at("kinds"), image.digest)])
    assert.include(await failed("FsIo", "manifest", "get", ref("kinds", ":v1")), "not a plain file")
  })
})
