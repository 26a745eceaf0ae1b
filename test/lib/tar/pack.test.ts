import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { newHeader, plainHeader } from "../../../src/lib/tar/pack.ts"

const sum = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe("a header that needs more than its fields", () => {
  // Sums of the bytes that Go's archive/tar writes for these entries.
  for (
    const [what, changed, expected] of [
      [
        "a name that is not ASCII",
        { name: "ü.txt" },
        "b3dda8ca640d8d5853a33e926153de42621427fc97c864dd8fc4d5de92684553"
      ],
      [
        "a long name that can be cut",
        { name: `${"n".repeat(90)}/${"m".repeat(90)}` },
        "341c4c1c37ddbfcca2068205f4277f6eef748badae2109288a1c74100b1d01da"
      ],
      [
        "one that cannot",
        { name: `${"n".repeat(150)}/${"m".repeat(120)}` },
        "59540c34c9b006b792b4406c16c1425625737ee2b16d3b6526cb1429a2abe4b4"
      ],
      [
        "a folder that is not ASCII",
        { name: `${"é".repeat(60)}/${"q".repeat(60)}` },
        "61b6afb5cd3c143846fa26aa5a342f470c541d6b3a906d2f180063dfd3f2e9ac"
      ],
      [
        "a time before 1970",
        { name: "old", mtime: -5 },
        "7e6b4ca3fd2a639b32d2698759778b7efd37586b2c14807004457f8716ecf3de"
      ],
      [
        "large numbers of owners",
        { name: "big", uid: 3_000_000, gid: 3_000_000, uname: "", gname: "" },
        "b22a4c6d6866063cb30a1990243d92eff9d22ab66ae012ef0e5e5a8fb577902c"
      ],
      [
        "a directory without a slash",
        { name: "n".repeat(150), type: "directory", size: 0, mode: 0o755 },
        "e2d251966520129943cf152e2c33484069600042eb7579d6727d19b9f4887e7f"
      ]
    ] as const
  ) {
    it(`is the one of Go for ${what}`, () => {
      const entry = { type: "file", size: 1, mode: 0o644, mtime: 1_700_000_000, uname: "root", gname: "root" } as const
      assert.strictEqual(sum(newHeader({ ...entry, ...changed })), expected)
    })
  }
})

describe("a plain header", () => {
  // Sums of the bytes that Go's archive/tar writes for these entries.
  const sha384 = "fa09f41430664b9862dc2754cd3d55818f83f7f63078e1d70b75720616e4f2503322fed488534667e0faf588d8a8933a"
  const sha512 = "0a39081d4627ad564c9a2cde4bd40fca4745afa2ca51583fbc6527574d747ca5" +
    "836a627bf8de28e8981903b50c3cb58a98dec2b193a9086e60eb88e1835a1888"
  for (
    const [name, size, expected] of [
      ["oci-layout", 30, "1d8120dce56497c5ca6be8067ab5cde55b4a6490300a3bd1c4181306816efc50"],
      ["index.json", 288, "d501eb47c9a4798b7e4c020461decb90d1983a9bd020ece72dff5a1946628cc8"],
      ["blobs/", 0, "9496e2bde6463ea163f87ae6a48dd4dc2728d9f896d38503dce3cb6d7635ff52"],
      ["blobs/sha256/", 0, "1a69d1a3e15a7f90c3f0c4c84d1fdc268a7c76bc19d5e5ef2ea76394144e5b83"],
      [`blobs/sha384/${sha384}`, 279, "e5aba38dba0f9a9b287eb8bee3367f50bc74ad75d0bdd25a5a43c2f9c9bfbf75"],
      [`blobs/sha512/${sha512}`, 311, "d185a1e7d6c965c89c219ce1a172cf8fd50024ffc0a109f52945cb5ef9d5ceb5"]
    ] as const
  ) {
    it(`is the one of Go for ${name.slice(0, 20)}`, () => {
      assert.strictEqual(sum(plainHeader(name, size)), expected)
    })
  }

  it("holds sizes that no octal digits hold", () => {
    // The body is absent, which GNU tar says after it listed the entry.
    const { stdout } = spawnSync("tar", ["-tv"], {
      input: plainHeader("large", 9_000_000_000),
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC" }
    })
    assert.include(stdout, " 9000000000 1970-01-01 ")
  })
})
