/** `regctl blob …`. */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Case, d } from "../case.ts"

const hasLayer = async ({ own }: Parameters<NonNullable<Case["check"]>>[0]) =>
  assert.strictEqual((await own.blob("app", d.appLayer))?.length, 219)

export const blob: ReadonlyArray<Case> = [
  {
    command: "blob copy",
    args: `blob copy $R/app $OWN/app ${d.appLayer}`,
    check: hasLayer
  },
  {
    command: "blob copy",
    shows: "cp",
    args: `layer cp $R/app $OWN/app ${d.appLayer}`,
    against: "serve",
    check: hasLayer
  },
  { command: "blob", shows: "layer", args: `layer get $R/app ${d.amd64Config} --format '{{.Length}}'`, out: "1025" },
  {
    command: "blob copy",
    args: "blob copy $R/app $OWN/app sha256:12",
    against: "serve",
    err: "invalid checksum digest length\n"
  },
  {
    command: "blob delete",
    args: `blob delete $OWN/app ${d.appLayer}`,
    own: "app",
    check: async ({ own }) => assert.isUndefined(await own.blob("app", d.appLayer))
  },
  {
    command: "blob delete",
    shows: "del",
    args: `blob del $OWN/app ${d.appLayer}`,
    own: "app",
    against: "ocidir",
    check: async ({ own }) => assert.isUndefined(await own.blob("app", d.appLayer))
  },
  {
    command: "blob delete",
    shows: "rm",
    args: `blob rm $OWN/app ${d.appLayer}`,
    own: "app",
    against: "serve",
    check: async ({ own }) => assert.isUndefined(await own.blob("app", d.appLayer))
  },
  { command: "blob delete", args: `blob delete $R/app ${d.none}`, against: "both", err: /404/ },

  { command: "blob get", args: `blob get $R/artifact ${d.hello}`, out: "hello\n" },
  { command: "blob get", shows: "pull", args: `blob pull $R/artifact ${d.hello}`, against: "ocidir", out: "hello\n" },
  {
    command: "blob get",
    shows: "--media-type",
    args: `blob get --media-type text/plain $R/artifact ${d.hello} -v info`,
    out: "hello\n",
    err: /level=INFO .*media type is deprecated.* mt=text\/plain/,
    code: 0
  },
  { command: "blob get", shows: "--format", args: `blob get $R/artifact ${d.hello} --format body`, out: "hello\n" },
  {
    command: "blob get",
    shows: "--format",
    args: `blob get $R/artifact ${d.artifactConfig} --format '{{.Digest}} {{.Length}} {{printf "%s" .RawBody}}'`,
    out: `${d.artifactConfig} 11 {"level":1}`
  },
  {
    command: "blob get",
    shows: "--format",
    args: `blob get $R/artifact ${d.hello} --format headers`,
    against: "both",
    out: new RegExp(`^(\\S+: .*\n)*Docker-Content-Digest: ${d.hello}\n(\\S+: .*\n)*$`)
  },
  {
    command: "blob get",
    shows: "--format",
    args: `blob get $R/artifact ${d.hello} --format raw`,
    against: "ocidir",
    out: "\nhello\n"
  },
  {
    command: "blob get",
    shows: "--format",
    args: `blob get $R/artifact ${d.hello} --format raw`,
    against: "both",
    out: /^(\S+: .*\n)+\nhello\n$/
  },

  {
    command: "blob head",
    args: `blob head $R/artifact ${d.hello}`,
    against: "both",
    out: new RegExp(`^(\\S+: .*\n)*Content-Length: 6\n(\\S+: .*\n)*Docker-Content-Digest: ${d.hello}\n(\\S+: .*\n)*$`)
  },
  { command: "blob head", args: `blob head $R/artifact ${d.hello}`, against: "ocidir" },
  {
    command: "blob head",
    shows: "digest --format",
    args: `blob digest $R/artifact ${d.hello} --format '{{.Digest}} {{.Length}} {{.GetDescriptor.Size}}'`,
    out: `${d.hello} 6 6`
  },
  { command: "blob head", args: `blob head $R/artifact ${d.none}`, against: "both", err: /404/ },

  {
    command: "blob put",
    args: "blob put $OWN/new",
    stdin: "hello\n",
    out: `${d.hello}\n`,
    check: async ({ own }) => assert.strictEqual(String(await own.blob("new", d.hello)), "hello\n")
  },
  {
    command: "blob put",
    shows: "push --digest --format",
    args: `blob push $OWN/new --digest ${d.hello} --format '{{.Size}} {{.Digest.Hex}}'`,
    stdin: "hello\n",
    out: `6 ${d.hello.slice(7)}`
  },
  {
    command: "blob put",
    shows: "--digest",
    args: `blob put $OWN/new --digest ${d.none}`,
    against: "both",
    stdin: "hello\n",
    err: `digest mismatch, expected ${d.none}, computed ${d.hello}\n`,
    check: async ({ own }) => assert.isUndefined(await own.blob("new", d.hello)),
    differs: "the registry's answer instead of the two digests"
  },
  {
    command: "blob put",
    shows: "--digest",
    args: `blob put $OWN/new --digest ${d.none}`,
    against: "ocidir",
    stdin: "hello\n",
    err: `unexpected digest, expected ${d.none}, computed ${d.hello}\n`
  },
  {
    command: "blob put",
    shows: "--digest",
    args: "blob put $OWN/new --digest sha512:" +
      "e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629",
    stdin: "hello\n",
    against: "serve",
    out:
      "sha512:e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629\n"
  },
  {
    command: "blob put",
    shows: "--content-type",
    args: "blob put $OWN/new --content-type text/plain -v info",
    stdin: "hello\n",
    against: "serve",
    out: `${d.hello}\n`,
    err: /level=INFO .*media type is deprecated.* mt=text\/plain/,
    code: 0
  },

  {
    command: "blob diff-config",
    args: `blob diff-config $R/app ${d.amd64Config} $R/app ${d.v2Amd64Config}`,
    out: `@@ -10,7 +10,7 @@
      },
      "Env": [
        "PATH=/bin",
-       "VERSION=1.0"
+       "VERSION=2.0"
      ],
      "Entrypoint": [
        "/app/main"
@@ -24,7 +24,7 @@
      "WorkingDir": "/app",
      "Labels": {
        "org.example.built": "2024-01-01T00:00:00Z",
-       "version": "1.0"
+       "version": "2.0"
      }
    },
    "rootfs": {
@@ -31,7 +31,7 @@
      "type": "layers",
      "diff_ids": [
        "sha256:bcb6d835ec200105a11a818a087caf120ba8f4943f03e5202878a0f49a5bdd05",
-       "sha256:a019347ea97dfbe393ef92b3d4e3aeefec955b1d51743fcc837fbe0bb5d730f8",
+       "sha256:1e50df5b1461abeed616969b3de6241c807ddfb74574a3c7a100208a0a808c1c",
        "sha256:2907f38cefaaa6935406d9d707ae4d064a9973dd85e30a45296aece0082efc38"
      ]
    },
`
  },
  {
    command: "blob diff-config",
    args: `blob diff-config $R/app ${d.amd64Config} $R/app ${d.amd64Config}`,
    out: "\n"
  },
  {
    command: "blob diff-config",
    shows: "--context",
    args: `blob diff-config --context 0 $R/app ${d.amd64Config} $R/app ${d.v2Amd64Config}`,
    out: `@@ -13,1 +13,1 @@
-       "VERSION=1.0"
+       "VERSION=2.0"
@@ -27,1 +27,1 @@
-       "version": "1.0"
+       "version": "2.0"
@@ -34,1 +34,1 @@
-       "sha256:a019347ea97dfbe393ef92b3d4e3aeefec955b1d51743fcc837fbe0bb5d730f8",
+       "sha256:1e50df5b1461abeed616969b3de6241c807ddfb74574a3c7a100208a0a808c1c",
`
  },
  {
    command: "blob diff-config",
    shows: "--context-full",
    args: `blob diff-config --context-full $R/base ${d.base1Config} $R/app ${d.amd64Config}`,
    out: `@@ -1,33 +1,62 @@
  {
-   "created": "2023-12-01T00:00:00Z",
+   "created": "2024-01-02T03:04:05Z",
+   "author": "Ada",
    "architecture": "amd64",
    "os": "linux",
    "config": {
+     "User": "1000",
+     "ExposedPorts": {
+       "8080/tcp": {}
+     },
      "Env": [
-       "PATH=/bin"
+       "PATH=/bin",
+       "VERSION=1.0"
      ],
+     "Entrypoint": [
+       "/app/main"
+     ],
      "Cmd": [
-       "/bin/sh"
+       "--serve"
      ],
+     "Volumes": {
+       "/data": {}
+     },
+     "WorkingDir": "/app",
      "Labels": {
-       "org.example.base": "1"
+       "org.example.built": "2024-01-01T00:00:00Z",
+       "version": "1.0"
      }
    },
    "rootfs": {
      "type": "layers",
      "diff_ids": [
-       "sha256:bcb6d835ec200105a11a818a087caf120ba8f4943f03e5202878a0f49a5bdd05"
+       "sha256:bcb6d835ec200105a11a818a087caf120ba8f4943f03e5202878a0f49a5bdd05",
+       "sha256:a019347ea97dfbe393ef92b3d4e3aeefec955b1d51743fcc837fbe0bb5d730f8",
+       "sha256:2907f38cefaaa6935406d9d707ae4d064a9973dd85e30a45296aece0082efc38"
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
+     },
+     {
+       "created": "2024-01-02T03:04:05Z",
+       "created_by": "ARG TOKEN=s1",
+       "empty_layer": true
+     },
+     {
+       "created": "2024-01-02T03:04:05Z",
+       "created_by": "COPY . / # buildkit"
+     },
+     {
+       "created": "2024-01-02T03:04:05Z",
+       "created_by": "RUN |1 TOKEN=s1 /bin/sh -c make cache # buildkit"
      }
    ]
  }
`
  },
  {
    command: "blob diff-layer",
    args: `blob diff-layer $R/base ${d.baseLayer} $R/base ${d.base2Layer}`,
    out: `@@ -1,5 +1,5 @@
  -rwxr-xr-x 0/0        0 2023-12-01T00:00:00Z etc/                                    
  -rw-r--r-- 0/0        8 2023-12-01T00:00:00Z etc/motd                                 sha256:77f44b9024fd19a6674a62d98939f4e7f1b77f64eac4c7559414c46bdaec494c
- -rw-r--r-- 0/0       24 2023-12-01T00:00:00Z etc/os-release                           sha256:00c32db9ac9d2b27349eec5faea65e54e717a90f6b896b524c0d00d7d61a4ba7
+ -rw-r--r-- 0/0       24 2023-12-01T00:00:00Z etc/os-release                           sha256:ea2ea1aa0927f50f9060a6286af904a64222a537c51c9e4afce94b5570171174
  -rwxr-xr-x 0/0        0 2023-12-01T00:00:00Z bin/                                    
  -rwxr-xr-x 0/0        8 2023-12-01T00:00:00Z bin/sh                                   sha256:21e1642733023ba2d2dc33a971dbf44b2e30e00088803bb1375ea8a8bb19eb77
`
  },
  {
    command: "blob diff-layer",
    shows: "--context",
    args: `blob diff-layer --context 1 $R/base ${d.baseLayer} $R/base ${d.base2Layer}`,
    out: `@@ -2,3 +2,3 @@
  -rw-r--r-- 0/0        8 2023-12-01T00:00:00Z etc/motd                                 sha256:77f44b9024fd19a6674a62d98939f4e7f1b77f64eac4c7559414c46bdaec494c
- -rw-r--r-- 0/0       24 2023-12-01T00:00:00Z etc/os-release                           sha256:00c32db9ac9d2b27349eec5faea65e54e717a90f6b896b524c0d00d7d61a4ba7
+ -rw-r--r-- 0/0       24 2023-12-01T00:00:00Z etc/os-release                           sha256:ea2ea1aa0927f50f9060a6286af904a64222a537c51c9e4afce94b5570171174
  -rwxr-xr-x 0/0        0 2023-12-01T00:00:00Z bin/                                    
`
  },
  {
    command: "blob diff-layer",
    shows: "--context-full --ignore-timestamp",
    args: `blob diff-layer --context-full --ignore-timestamp $R/app ${d.appLayer} $R/app ${d.v2AppLayer}`,
    out: `@@ -1,4 +1,4 @@
  -rwxr-xr-x 0/0        0 app/                                    
- -rwxr-xr-x 0/0        9 app/main                                 sha256:5bdad7f0c2f04044033a162cbbdee66d1dccc5b3a3c1f71f4c2dbd12ed49c125
+ -rwxr-xr-x 0/0        9 app/main                                 sha256:6703afdec28a03f478c3edbf165481f2261fbfd035569058d5bef0896120edd4
  -rw-r--r-- 0/0     2048 app/data.tar                             sha256:207899ff87d0ff2ef44f0094003eb5143d6cf89a21df1f8dc769bdba6434b90c
  -rw-r--r-- 0/0        0 etc/.wh.motd                            
`
  },
  {
    command: "blob diff-layer",
    args: `blob diff-layer $R/app ${d.appLayer} $R/app ${d.appLayer}`,
    out: "\n"
  },

  {
    command: "blob get-file",
    args: `blob get-file $R/app ${d.appLayer} /app/main`,
    out: "main 1.0\n"
  },
  {
    command: "blob get-file",
    shows: "cat",
    args: `blob cat $R/app ${d.appLayer} app/main out.txt`,
    against: "serve",
    check: ({ dir }) => assert.strictEqual(readFileSync(join(dir, "out.txt"), "utf8"), "main 1.0\n")
  },
  {
    command: "blob get-file",
    shows: "--format",
    args: `blob get-file $R/app ${d.appLayer} app/main --format '{{.Header.Name}} {{.Header.Size}} {{.Header.Mode}}'`,
    out: "app/main 9 493"
  },
  {
    command: "blob get-file",
    shows: "--format",
    args: `blob get-file $R/app ${d.appLayer} app/main --format '{{jsonPretty .Header}}'`,
    against: "ocidir",
    out: `{
  "Typeflag": 48,
  "Name": "app/main",
  "Linkname": "",
  "Size": 9,
  "Mode": 493,
  "Uid": 0,
  "Gid": 0,
  "Uname": "builder",
  "Gname": "builders",
  "ModTime": "2024-01-02T03:04:05Z",
  "AccessTime": "0001-01-01T00:00:00Z",
  "ChangeTime": "0001-01-01T00:00:00Z",
  "Devmajor": 0,
  "Devminor": 0,
  "Xattrs": null,
  "PAXRecords": null,
  "Format": 2
}
`
  },
  {
    command: "blob get-file",
    args: `blob get-file $R/app ${d.appLayer} nope`,
    against: "serve",
    err: "file not found\n"
  },
  { command: "blob get-file", args: `blob get-file $R/app ${d.appLayer} etc/motd`, err: "file deleted\n" },
  {
    command: "blob get-file",
    args: `blob get-file $R/app ${d.appLayer} .wh.motd`,
    against: "serve",
    err: ".wh. prefix is reserved for whiteout files\n"
  }
]
