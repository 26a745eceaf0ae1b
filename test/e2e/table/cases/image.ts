/** `regctl image copy|inspect|ratelimit`. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type After, type Case, d } from "../case.ts"

/** Index, images and a layer are there. */
const isWhole = async ({ own }: After) => {
  assert.strictEqual((await own.manifest("app", "v1"))?.digest, d.v1)
  assert.isDefined(await own.manifest("app", d.amd64))
  assert.isDefined(await own.manifest("app", d.arm64))
  assert.isDefined(await own.blob("app", d.appLayer))
}

export const image: ReadonlyArray<Case> = [
  { command: "image copy", args: "image copy $R/app:v1 $OWN/app:v1", out: "$OWN/app:v1\n", check: isWhole },
  {
    command: "image copy",
    shows: "cp --format",
    args: "image cp $R/app:v1 $OWN/app:v1 --format '{{.Repository}} {{.Tag}}'",
    against: "serve",
    out: /^c\d+\/app v1$/,
    check: isWhole
  },
  { command: "image copy", shows: "--format", args: "image copy $R/app:v1 $OWN/app:v1 --format ''", check: isWhole },
  {
    command: "image copy",
    args: "image copy $OWN/app:v1 $OWN/app:new",
    note: "another tag",
    own: "app",
    out: "$OWN/app:new\n",
    check: async ({ own }) => assert.strictEqual((await own.manifest("app", "new"))?.digest, d.v1)
  },
  {
    command: "image copy",
    args: `image copy ocidir://../shared/app:v1 $OWN/app:v1`,
    note: "from a layout",
    against: "both",
    out: "$OWN/app:v1\n",
    check: isWhole
  },
  {
    command: "image copy",
    shows: "--platform",
    args: "image copy --platform linux/arm64 $R/app:v1 $OWN/app:v1",
    out: "$OWN/app:v1\n",
    check: async ({ own }) => assert.strictEqual((await own.manifest("app", "v1"))?.digest, d.arm64)
  },
  {
    command: "image copy",
    shows: "-p",
    args: "image copy -p linux/amd64 $R/app:v1 $OWN/app:v1",
    against: "serve",
    out: "$OWN/app:v1\n",
    check: async ({ own }) => assert.strictEqual((await own.manifest("app", "v1"))?.digest, d.amd64)
  },
  {
    command: "image copy",
    shows: "--platforms",
    args: "image copy --platforms linux/arm64 $R/app:v1 $OWN/app:v1",
    against: "ocidir",
    out: "$OWN/app:v1\n",
    check: async ({ own }) => {
      assert.strictEqual((await own.manifest("app", "v1"))?.digest, d.v1)
      assert.isDefined(await own.manifest("app", d.arm64))
      assert.isUndefined(await own.manifest("app", d.amd64))
    }
  },
  {
    command: "image copy",
    shows: "--digest-tags",
    args: "image copy --digest-tags $R/signed:v1 $OWN/signed:v1",
    out: "$OWN/signed:v1\n",
    check: async ({ own }) =>
      assert.strictEqual((await own.manifest("signed", `${d.base1.replace(":", "-")}.sig`))?.digest, d.cosign)
  },
  {
    command: "image copy",
    args: "image copy $R/signed:v1 $OWN/signed:v1",
    out: "$OWN/signed:v1\n",
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.tags("signed"), ["v1"])
      assert.deepStrictEqual(await own.referrers("signed", d.base1), [])
    }
  },
  {
    command: "image copy",
    shows: "--referrers",
    args: "image copy --referrers $R/signed:v1 $OWN/signed:v1",
    out: "$OWN/signed:v1\n",
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.referrers("signed", d.base1), [d.cid, d.bob, d.ann].toSorted())
      assert.deepStrictEqual(await own.referrers("signed", d.base1Amd64), [d.dan])
      assert.isDefined(await own.manifest("signed", d.cid))
    }
  },
  {
    command: "image copy",
    shows: "--referrers-src --referrers-tgt",
    args: "image copy --referrers --referrers-src $R/reports --referrers-tgt $OWN/kept $R/signed:v1 $OWN/signed:v1",
    out: "$OWN/signed:v1\n",
    check: async ({ own }) => {
      assert.deepStrictEqual(await own.referrers("kept", d.base1), [d.eve])
      assert.deepStrictEqual(await own.referrers("signed", d.base1), [])
    }
  },
  {
    command: "image copy",
    shows: "--referrers-tgt",
    args: "image copy --referrers-tgt $OWN/kept $R/signed:v1 $OWN/signed:v1",
    against: "serve",
    err: "referrers must be enabled to specify an external referrers source or target\n"
  },
  {
    command: "image copy",
    shows: "--fast --force-recursive",
    args: "image copy --fast --force-recursive --referrers $R/signed:v1 $OWN/signed:v1",
    before: ["image copy $R/signed:v1 $OWN/signed:v1"],
    out: "$OWN/signed:v1\n",
    check: async ({ own }) => assert.deepStrictEqual(await own.referrers("signed", d.base1), [])
  },
  {
    command: "image copy",
    shows: "--force-recursive",
    args: "image copy --force-recursive $R/app:v1 $OWN/app:v1",
    own: "app",
    before: [`blob delete $OWN/app ${d.appLayer}`],
    out: "$OWN/app:v1\n",
    check: isWhole
  },
  {
    command: "image copy",
    args: "image copy $R/app:v1 $OWN/app:v1",
    note: "what is there is not looked into",
    own: "app",
    before: [`blob delete $OWN/app ${d.appLayer}`],
    out: "$OWN/app:v1\n",
    check: async ({ own }) => assert.isUndefined(await own.blob("app", d.appLayer))
  },
  {
    command: "image copy",
    shows: "--include-external",
    args: "image copy --include-external $R/odd:foreign $OWN/odd:foreign",
    against: "serve",
    out: "$OWN/odd:foreign\n",
    check: async ({ own }) => assert.strictEqual((await own.blob("odd", d.foreignLayer))?.length, 119)
  },
  {
    command: "image copy",
    args: "image copy $R/odd:foreign $OWN/odd:foreign",
    against: "serve",
    out: "$OWN/odd:foreign\n",
    check: async ({ own }) => assert.isUndefined(await own.blob("odd", d.foreignLayer))
  },
  {
    command: "image copy",
    args: "image copy $R/artifact:one ocidir://lay:one",
    note: "at a time of one's own",
    against: "serve",
    env: { SOURCE_DATE_EPOCH: "1580702706" },
    out: "ocidir://lay:one\n",
    check: ({ dir }) => {
      const { manifests } = JSON.parse(readFileSync(join(dir, "lay/index.json"), "utf8"))
      assert.strictEqual(manifests[0].annotations["org.opencontainers.image.created"], "2020-02-03T04:05:06Z")
    },
    differs: "it knows the misspelt variable alone"
  },
  { command: "image copy", args: "image copy $R/app:nope $OWN/app:v1", against: "both", err: /404/ },

  {
    command: "image inspect",
    args: "image inspect $R/app:amd64",
    out: `{
  "created": "2024-01-02T03:04:05Z",
  "author": "Ada",
  "architecture": "amd64",
  "os": "linux",
  "config": {
    "User": "1000",
    "ExposedPorts": {
      "8080/tcp": {}
    },
    "Env": [
      "PATH=/bin",
      "VERSION=1.0"
    ],
    "Entrypoint": [
      "/app/main"
    ],
    "Cmd": [
      "--serve"
    ],
    "Volumes": {
      "/data": {}
    },
    "WorkingDir": "/app",
    "Labels": {
      "org.example.built": "2024-01-01T00:00:00Z",
      "version": "1.0"
    }
  },
  "rootfs": {
    "type": "layers",
    "diff_ids": [
      "sha256:bcb6d835ec200105a11a818a087caf120ba8f4943f03e5202878a0f49a5bdd05",
      "sha256:a019347ea97dfbe393ef92b3d4e3aeefec955b1d51743fcc837fbe0bb5d730f8",
      "sha256:2907f38cefaaa6935406d9d707ae4d064a9973dd85e30a45296aece0082efc38"
    ]
  },
  "history": [
    {
      "created": "2023-12-01T00:00:00Z",
      "created_by": "ADD rootfs-1.tar / # buildkit"
    },
    {
      "created": "2023-12-01T00:00:00Z",
      "created_by": "CMD [\\"/bin/sh\\"]",
      "empty_layer": true
    },
    {
      "created": "2024-01-02T03:04:05Z",
      "created_by": "ARG TOKEN=s1",
      "empty_layer": true
    },
    {
      "created": "2024-01-02T03:04:05Z",
      "created_by": "COPY . / # buildkit"
    },
    {
      "created": "2024-01-02T03:04:05Z",
      "created_by": "RUN |1 TOKEN=s1 /bin/sh -c make cache # buildkit"
    }
  ]
}
`
  },
  {
    command: "image inspect",
    shows: "config --platform",
    args: "image config --platform linux/arm64 $R/app:v1 --format '{{.Architecture}}'",
    out: "arm64"
  },
  {
    command: "image inspect",
    shows: "-p",
    args: "image inspect -p linux/amd64 $R/app:v1 --format '{{.Architecture}}'",
    out: "amd64"
  },
  {
    command: "image inspect",
    shows: "--format",
    args:
      `image inspect $R/docker:amd64 --format '{{index .Config.Labels "version"}} {{.Created.Unix}} {{len .History}}'`,
    out: "1.0 1704164645 5"
  },
  {
    command: "image inspect",
    shows: "--format",
    args: "image inspect $R/base:1 -p linux/amd64 --format body",
    out:
      "{\"created\":\"2023-12-01T00:00:00Z\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"/bin/sh\"],\"Labels\":{\"org.example.base\":\"1\"}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:bcb6d835ec200105a11a818a087caf120ba8f4943f03e5202878a0f49a5bdd05\"]},\"history\":[{\"created\":\"2023-12-01T00:00:00Z\",\"created_by\":\"ADD rootfs-1.tar / # buildkit\"},{\"created\":\"2023-12-01T00:00:00Z\",\"created_by\":\"CMD [\\\"/bin/sh\\\"]\",\"empty_layer\":true}]}"
  },
  {
    command: "image inspect",
    shows: "--format",
    args: "image inspect $R/base:1 -p linux/amd64 --format headers",
    against: "both",
    out: new RegExp(`^(\\S+: .*\n)*Docker-Content-Digest: ${d.base1Config}\n(\\S+: .*\n)*$`)
  },
  {
    command: "image inspect",
    args: "image inspect $R/artifact:v1",
    err: "artifacts are not supported with \"regctl image inspect\", use \"regctl artifact get --config\" instead: " +
      "unsupported config media type application/vnd.example.config+json: unsupported media type\n"
  },

  {
    command: "image ratelimit",
    args: "image ratelimit $OWN/app:v1",
    against: "spy",
    out: `{
  "Remain": 76,
  "Limit": 100,
  "Reset": 0,
  "Set": true,
  "Policies": [
    "100;w=21600"
  ]
}
`,
    check: ({ asked }) => assert.deepStrictEqual(asked.map(({ method }) => method), ["HEAD"])
  },
  {
    command: "image ratelimit",
    shows: "rate-limit --format",
    args: "image rate-limit $OWN/app:v1 --format '{{.Remain}}/{{.Limit}} {{.Set}} {{.Policies}} {{.Reset}}'",
    against: "spy",
    out: "76/100 true [100;w=21600] 0"
  },
  {
    command: "image ratelimit",
    args: "image ratelimit $R/app:v1",
    against: "both",
    out: `{
  "Remain": 0,
  "Limit": 0,
  "Reset": 0,
  "Set": false,
  "Policies": null
}
`
  }
]
