/** `image mod` as users run it: what other tools read afterwards, and the digests that the Go tool gets. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { documentAt, makeModImages, tagged } from "../fixtures/modImages.ts"
import { skopeo, umociImage } from "../support/images.ts"
import { regctlHere } from "../support/inProcess.ts"
import { blobPath, judge } from "../support/layouts.ts"
import { installed, must, type Ran, run, tool } from "../support/programs.ts"
import { dockerRegistry, ownRegistry, type Running, temporary } from "../support/registries.ts"

const dir = temporary("mod")
const at = (name: string): string => join(dir.path, name)
const env = { REGCTL_CONFIG: at("config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }

const tryMod = (...args: ReadonlyArray<string>): Promise<Ran> =>
  run(process.execPath, [tool("regctl"), "image", "mod", ...args], { env, cwd: dir.path })
const mod = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { code, err, out } = await tryMod(...args)
  assert.deepStrictEqual([code, err], [0, ""])
  return out.trimEnd()
}

/** Option values as given, `LAYOUT` for the layout; the digest that the Go tool's result has. */
const golden: ReadonlyArray<readonly [tag: string, options: ReadonlyArray<string>, digest: string]> = [
  [
    "multi",
    ["--annotation", "[*]a=b", "--annotation", "[linux/arm64]own="],
    "sha256:a1673665164552d7d419373c1d929cc43438a662f91624b1b912978d6484e7a2"
  ],
  [
    "multi",
    ["--annotation-base", "img:tag,sha256:7bcaa2472f4916c57ff916d6a5cfc86651a081643603d82502bfe0ddfada293e"],
    "sha256:242c2c465a75104a143f1f09bc8d370da38d382da65b9d59fae6eeb071ccc991"
  ],
  ["multi", ["--annotation-promote"], "sha256:20703f21ceb74f28280c0cd8a08b44e9ec2ff1437d88187a069a352ee79a0b96"],
  ["multi", ["--label-to-annotation"], "sha256:daec5b918dc57741a395a23bd858fe5304a1b7e62815fccc408355fd59593f24"],
  ["multi", ["--to-docker"], "sha256:7758e6ca74931b00520fb36a2fba31ddc3e022a322134b47874b6249cbea492c"],
  ["docker", ["--to-oci"], "sha256:e671c57a4ba32eef6147fcff3c3abfc49b12092b9a9388cf9c79a05399643526"],
  ["attest", ["--to-oci-referrers"], "sha256:3a4a0ae48dbca393a9ebfaf454fdd2241578dcf35a367d743e1bd7a8971ec332"],
  ["single", ["--data-max", "10"], "sha256:d42bc343c17ba388ff9b360477e1d59f3138e25d2fee4c3d85ded776f7a60ccb"],
  ["artifact", ["--data-max", "10"], "sha256:c1cbef061493a916d7198e98fd815dbf5411aa973188a468e8de577bf9fe8a98"],
  ["artifact", ["--annotation", "a=<b>"], "sha256:50af89b3ee6710d8676351366c125f1f9da345e6e7599ccd1e022d7c275c416e"],
  ["docker", ["--annotation", "a=b"], "sha256:7d652610c8a856bd925305eaa37a705c3bce0a0c151b1f3c7ec73d2142749bcf"],
  ["multi", ["--author", "you"], "sha256:f1a28be8cf3738b74eeae590c1e09c36f485683856a997c8fd3b952a020e998e"],
  [
    "multi",
    ["--env", "PATH=/bin", "--env", "[linux/arm64]N=1", "--env", "A="],
    "sha256:8d6473b297ddc51ea51415f421ea7b5601391ce42b77e69565f4c39fcac99afb"
  ],
  [
    "multi",
    ["--label", "version=", "--label", "[*]l=ü"],
    "sha256:37777582d325210f08f68bfa2f00f06f765e920aa3cc2c503d1b9723369c7ff9"
  ],
  [
    "multi",
    ["--user", "[linux/arm64]root", "--workdir", "/x"],
    "sha256:c6e6724491e1cf353f22076150390241898b5cd4cbce2a79345dd0967208e46c"
  ],
  ["single", ["--config-cmd", "run <it>"], "sha256:d28de376567af59d8bdbe7888077717269b0c43f0c3b906d24f7bffb127f10e5"],
  [
    "single",
    ["--config-cmd", "", "--config-entrypoint", "[\"a\",\"b\"]"],
    "sha256:e9585bca7609995e4d7ba34d18caa462726b0b6fa94924666e89208504046336"
  ],
  [
    "single",
    ["--config-platform", "windows/amd64,osver=10.0.1"],
    "sha256:f8058b4abd48e2a1be9998e249abe4534d8d4cbd732a0f9d18d6fbc7b4fcc2bc"
  ],
  [
    "multi",
    ["--config-time", "set=2020-01-01T00:00:00.5+02:00"],
    "sha256:62974443a8831b382d9732144aa6daf7b464c5c1dd903692a7cd7d45ac89e87d"
  ],
  [
    "multi",
    ["--config-time", "from-label=org.example.built,after=2021-06-01T00:00:00Z"],
    "sha256:d9effb0f86a9f50e1540cf5aacddf8bdf82bf56cd30a34acf942da7e29113149"
  ],
  [
    "multi",
    ["--config-time", "set=2020-01-01T00:00:00Z,base-ref=ocidir://LAYOUT:base"],
    "sha256:e12764705ba45dc79539132a1635f46f4db01b0c4c9d5021a83d29b75918bfd5"
  ],
  [
    "single",
    ["--config-time", "set=2020-01-01T00:00:00Z,base-layers=2"],
    "sha256:e2c6bdae1c86e66665e1bf6c0ed5083667ab44ceb8db6bf615cc621146e8dcb2"
  ],
  [
    "single",
    ["--config-time-max", "2022-01-01T00:00:00Z"],
    "sha256:6b9ce30fc1a04527c71c53e0d88752471560f670b8523e4b87e9db3121d53660"
  ],
  [
    "single",
    ["--expose-add", "443/tcp", "--expose-rm", "80/tcp"],
    "sha256:6adc810bef3fa137eb52b4a131150fc67631791776caa360232ea20afa3db5d1"
  ],
  [
    "single",
    ["--volume-add", "/more", "--volume-rm", "/data"],
    "sha256:5c82dfa5d64a6950ee32abdef6ff641673becc222c15e96dfbc41c6d3eef1c09"
  ],
  ["single", ["--buildarg-rm", "V=1.2"], "sha256:f5411994d4a709cb57d01480da231c139a5021abe50461e3726f7dc902c8d924"],
  ["single", ["--buildarg-rm-regex", "W=."], "sha256:60e13092481bb38c15d573ee19f3bf84f8addfd9e217f597592937549e596a39"],
  [
    "single",
    ["--label-to-annotation", "--annotation", "version=2"],
    "sha256:d9d1cf8603908d2b1cd388c731a4ab8d9c20a07ee970c6e65f1dfe8f29a3e9fa"
  ],
  [
    "single",
    ["--annotation", "version=2", "--label-to-annotation"],
    "sha256:95cb5225e5f13684eac2c47ca905f07e0d09f8658d0034ae7bc805e1c558f4cb"
  ],
  [
    "single",
    ["--label", "own=2020-01-01T00:00:00Z", "--config-time", "from-label=own"],
    "sha256:9dac93cd1721d87c01184b7f623186605756f79fee33480dce1706c18b5ccc83"
  ],
  [
    "attest",
    ["--annotation", "[unknown/unknown]a=b", "--to-oci-referrers"],
    "sha256:3a4a0ae48dbca393a9ebfaf454fdd2241578dcf35a367d743e1bd7a8971ec332"
  ],
  ["attest", ["--env", "A="], "sha256:0407af0dc9f5f79e203fd51589d4756793a50b722c23a178c6847dcf28c00b78"],
  [
    "artifact",
    ["--digest-algo", "sha512"],
    "sha512:1a83fcf2386dad41f4d2b94f4b6c6b3cbf083ea4743037e2d856e6b2c36ca0f586901e9b1b8fc13eafd6b11d528ddf7ba8386467407fba55315090f2a13bd79a"
  ],
  [
    "multi",
    ["--digest-algo", "sha512"],
    "sha512:a1b21cad07ab30c68bc3d040c159ea0814be98c8f6818b6b76a8bddd3ee5548decf55b5f06074a13ad7f72bcfc40dc263a52cc9ac3e715d4a9ab2049dc4d63e2"
  ],
  ["single", ["--layer-rm-index", "1"], "sha256:e81fdc2b62a8ba676400871b19549a50770790a326b16751009f0be79c08fbb4"],
  [
    "multi",
    ["--layer-rm-created-by", "^RUN passwd"],
    "sha256:2ba3e1464c9daad3f0f833606c4d64d1b8c6b113f44473e8ca820cf451d31d02"
  ],
  [
    "single",
    ["--rebase-ref", "ocidir://LAYOUT:base,ocidir://LAYOUT:other"],
    "sha256:7f95e85d7df7307f77bfb8d38b7c28f4013673c4ab55b97b16d5d99fadb9567a"
  ]
]

let registry: Running
let own: Running

beforeAll(async () => {
  makeModImages(at("images"))
  await umociImage(dir.path, "v1")
  ;[registry, own] = await Promise.all([dockerRegistry(), ownRegistry(["--dir", at("served")])])
  const open = { tls: "disabled" }
  writeFileSync(env.REGCTL_CONFIG, JSON.stringify({ hosts: { [registry.host]: open, [own.host]: open } }))
})

afterAll(async () => {
  await Promise.all([registry.stop(), own.stop()])
  dir.remove()
})

describe("options on manifests and configurations", () => {
  for (const [tag, options, digest] of golden) {
    it(`give the digest that the Go tool gets: ${tag} ${options.join(" ")}`, async () => {
      const layout = at("images")
      const args = options.map((it) => it.replaceAll("LAYOUT", layout))
      const ran = await regctlHere(
        ["image", "mod", `ocidir://${layout}:${tag}`, "--create", "out", ...args],
        { config: env.REGCTL_CONFIG }
      )
      assert.deepStrictEqual(ran, { code: 0, out: `ocidir://${layout}:out\n`, err: "" })
      assert.strictEqual(tagged(layout, "out"), digest)
      // The judge knows one algorithm.
      if (digest.startsWith("sha256:")) assert.deepStrictEqual(judge(layout).problems, [])
    })
  }

  it("annotate the top alone without a prefix", async () => {
    await mod("ocidir://images:multi", "--create", "top", "--annotation", "a=b")
    const before = documentAt(at("images"), tagged(at("images"), "multi") ?? "")
    const after = documentAt(at("images"), tagged(at("images"), "top") ?? "")
    assert.deepStrictEqual(after, { ...before, annotations: { a: "b", top: "t" } })
  })
})

/** All that `skopeo` says of the configuration of an image. */
const seen = async (image: string) => JSON.parse(await skopeo(["inspect", "--config", "--raw", image]))
const seenManifest = async (image: string) =>
  JSON.parse(await skopeo(["inspect", "--raw", "--tls-verify=false", image]))

describe("an image made by umoci", () => {
  it("has the settings that options gave it, as skopeo reads them, in their order", async () => {
    await mod(
      "ocidir://layout:v1",
      ..."--create settings --env A=1 --env B=2 --env A=3 --env B= --label a=b --label made= --user 1000:1000".split(
        " "
      ),
      ..."--workdir /work --author someone --expose-add 80/tcp --expose-add=81 --expose-rm 81 --volume-add /data".split(
        " "
      ),
      ..."--config-platform linux/arm64 --config-time set=2020-02-02T02:02:02Z --annotation x=y".split(" "),
      "--config-cmd",
      "ls -l",
      "--config-entrypoint",
      `["/entry"]`
    )
    const { architecture, author, config, created, history } = await seen(
      "oci:layout:settings".replace("layout", at("layout"))
    )
    assert.deepStrictEqual([architecture, author, created], ["arm64", "someone", "2020-02-02T02:02:02Z"])
    const { Env, ...settings } = config
    assert.deepStrictEqual(Env.at(-1), "A=3")
    assert.deepStrictEqual(settings, {
      User: "1000:1000",
      ExposedPorts: { "80/tcp": {} },
      Entrypoint: ["/entry"],
      Cmd: ["/bin/sh", "-c", "ls -l"],
      Volumes: { "/data": {} },
      WorkingDir: "/work",
      Labels: { a: "b" }
    })
    for (const it of history) assert.strictEqual(it.created, "2020-02-02T02:02:02Z")
    assert.deepStrictEqual((await seenManifest(`oci:${at("layout")}:settings`)).annotations, { x: "y" })
  })

  it("has the files that options left and added, with their times, as umoci unpacks them", async () => {
    mkdirSync(at("more/sub"), { recursive: true })
    writeFileSync(at("more/sub/file"), "more")
    const options = ("--layer-add dir=more --layer-strip-file /two/two.txt --reproducible " +
      "--time set=2020-02-02T02:02:02Z --layer-compress none").split(" ")
    const name = await mod("ocidir://layout:v1", "--create", "files", ...options)
    assert.strictEqual(name, "ocidir://layout:files")
    await must(installed("umoci", "umoci"), ["unpack", "--rootless", "--image", `${at("layout")}:files`, at("bundle")])
    const file = (path: string) => at(`bundle/rootfs/${path}`)
    assert.strictEqual(readFileSync(file("sub/file"), "utf8"), "more")
    assert.include(readFileSync(file("one/one.txt"), "utf8"), "one 1\n")
    assert.isFalse(existsSync(file("two/two.txt")))
    assert.strictEqual(statSync(file("one/one.txt")).mtime.toISOString(), "2020-02-02T02:02:02.000Z")
    const { layers } = await seenManifest(`oci:${at("layout")}:files`)
    for (const it of layers) assert.strictEqual(it.mediaType, "application/vnd.oci.image.layer.v1.tar")
  })

  it("gets the same digest by the same options, again and on what they gave", async () => {
    const options = ("--time set=2020-02-02T02:02:02Z --layer-compress zstd --annotation a=b --env A=b --to-docker " +
      "--reproducible --digest-algo sha512").split(" ")
    const first = await mod("ocidir://layout:v1", ...options)
    assert.match(first, /^ocidir:\/\/layout@sha512:[0-9a-f]{128}$/)
    await mod("ocidir://layout:v1", "--create", "again", ...options)
    assert.strictEqual(await mod("ocidir://layout:again", ...options), first)
  })
})

describe("where the result goes", () => {
  it("is a new tag, the same one, or none but its digest; the old image stays until nothing names it", async () => {
    cpSync(at("images"), at("places"), { recursive: true })
    const old = tagged(at("places"), "single") ?? ""
    const untagged = await mod("ocidir://places:single", "--annotation", "a=b")
    const [, digest = ""] = untagged.split("@")
    assert.strictEqual(tagged(at("places"), "single"), old)
    assert.strictEqual(await mod("ocidir://places:single", "--create", "new"), "ocidir://places:new")
    assert.strictEqual(tagged(at("places"), "new"), old)
    assert.strictEqual(
      await mod("ocidir://places:single", "--replace", "--annotation", "a=b"),
      "ocidir://places:single"
    )
    assert.strictEqual(tagged(at("places"), "single"), digest)
    assert.isTrue(existsSync(blobPath(at("places"), old)))
    await mod("ocidir://places:new", "--replace", "--annotation", "c=d")
    assert.isFalse(existsSync(blobPath(at("places"), old)))
  })

  it("in a layout gives entries to the top alone, whose children count as in use", async () => {
    cpSync(at("images"), at("entries"), { recursive: true })
    const entries = () => JSON.parse(readFileSync(at("entries/index.json"), "utf8")).manifests.length
    const before = entries()
    await mod("ocidir://entries:multi", "--create", "new", "--author", "you")
    assert.strictEqual(entries(), before + 1)
    assert.deepStrictEqual(judge(at("entries")).problems, [])
  })

  it("is another registry, to which everything goes, and back a layout", async () => {
    const there = `${registry.host}/app:v1`
    assert.strictEqual(await mod("ocidir://images:multi", "--create", there, "--env", "[linux/arm64]N=1"), there)
    const mounted = `${registry.host}/other/app:v2`
    await registry.requests()
    assert.strictEqual(await mod(there, "--create", mounted, "--label", "l=1"), mounted)
    const sent = (await registry.requests()).filter(({ method, path }) =>
      method === "PUT" && path.includes("/uploads/")
    )
    // The two configurations; the layers are mounted.
    assert.lengthOf(sent, 2)
    assert.strictEqual(await mod(mounted, "--create", "ocidir://back:v3", "--author", "you"), "ocidir://back:v3")
    const { extra, problems } = judge(at("back"))
    assert.deepStrictEqual([extra, problems], [[], []])
    const index = documentAt(at("back"), tagged(at("back"), "v3") ?? "")
    const configs = index.manifests.map((it: { readonly digest: string }) =>
      documentAt(at("back"), documentAt(at("back"), it.digest).config.digest).config
    )
    assert.deepStrictEqual(configs.map((it: { readonly Env: ReadonlyArray<string> }) => it.Env), [
      ["PATH=/usr/bin:/bin", "A=b"],
      ["PATH=/usr/bin:/bin", "A=b", "N=1"]
    ])
    assert.isTrue(configs.every((it: { readonly Labels: Readonly<Record<string, string>> }) => it.Labels["l"] === "1"))
  })

  it("is a repository whose referrers follow to the new digest", async () => {
    for (const host of [registry.host, own.host]) {
      const image = `${host}/attested:v1`
      await mod("ocidir://images:attest", "--create", image, "--to-oci-referrers")
      await mod(image, "--create", "v2", "--author", "you")
      const index = await seenManifest(`docker://${host}/attested:v2`)
      const tree = await must(process.execPath, [
        tool("regctl"),
        "artifact",
        "list",
        `${image}@${index.manifests[0].digest}`
      ], {
        env,
        cwd: dir.path
      })
      assert.include(tree, "vnd.docker.reference.type: attestation-manifest")
    }
  })
})

describe("what cannot be", () => {
  it("is told before anything is read, or plainly when it is met; nothing is pushed", async () => {
    const before = readdirSync(at("images/blobs/sha256")).length
    const problems: ReadonlyArray<readonly [options: ReadonlyArray<string>, error: string]> = [
      [
        ["--create", "a/B:x"],
        `failed to parse new image name a/B:x: invalid reference "a/B:x", repo must be lowercase`
      ],
      [
        ["--annotation-base", "x"],
        `invalid argument "x" for "--annotation-base" flag: arg requires an image name and digest`
      ],
      [["--config-time", "after=2020-01-01T00:00:00Z"], "WithConfigTimestamp requires a time to set"],
      [["--time", "from-label=nope"], "label not found: nope"],
      [["--digest-algo", "md5"], "digest algorithm is not available: md5"]
    ]
    for (const [options, error] of problems) {
      const ran = await regctlHere(["image", "mod", `ocidir://${at("images")}:multi`, ...options], {
        config: env.REGCTL_CONFIG
      })
      assert.deepStrictEqual(ran, { code: 1, out: "", err: `${error}\n` })
    }
    assert.strictEqual(readdirSync(at("images/blobs/sha256")).length, before)
  })
})
