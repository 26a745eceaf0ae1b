/** `regctl tag …` and `regctl repo …`. */
import { assert } from "@effect/vitest"
import { type After, type Case, d } from "../case.ts"

const gone = async ({ own }: After) => {
  assert.deepStrictEqual(await own.tags("app"), ["amd64", "arm64", "v1", "v2"])
  assert.strictEqual((await own.manifest("app", "v1"))?.digest, d.v1)
}
const catalog = "artifact\nbase\ndocker\nodd\nreports\nsigned\n"
/** All tags of `app` in the target. */
const all = async ({ own }: After) => {
  assert.deepStrictEqual(await own.tags("copy"), ["amd64", "arm64", "stable", "v1", "v2"])
  assert.strictEqual((await own.manifest("copy", "v2"))?.digest, d.v2)
}

export const tag: ReadonlyArray<Case> = [
  { command: "tag delete", args: "tag delete $OWN/app:stable", own: "app", check: gone },
  ...["del", "rm", "remove"].map((alias): Case => ({
    command: "tag delete",
    shows: alias,
    args: `tag ${alias} $OWN/app:stable`,
    own: "app",
    against: "serve",
    check: gone
  })),
  { command: "tag delete", shows: "--ignore-missing", args: "tag delete --ignore-missing $OWN/app:nope", own: "app" },
  { command: "tag delete", args: "tag delete $OWN/app:nope", own: "app", against: "both", err: /404/ },
  {
    command: "tag delete",
    args: `tag delete $R/app@${d.v1}`,
    against: "serve",
    err: "tag missing from image reference\n"
  },

  { command: "tag ls", args: "tag ls $R/app", out: "amd64\narm64\nstable\nv1\nv2\n" },
  {
    command: "tag ls",
    shows: "list --include",
    args: "tag list $R/app --include 'v[0-9]' --include st.*",
    out: "stable\nv1\nv2\n"
  },
  {
    command: "tag ls",
    shows: "--exclude",
    args: "tag ls $R/app --exclude 'v.*' --exclude a",
    out: "amd64\narm64\nstable\n"
  },
  { command: "tag ls", shows: "--limit", args: "tag ls $R/app --limit 2", against: "serve", out: "amd64\narm64\n" },
  { command: "tag ls", shows: "--last", args: "tag ls $R/app --last stable", against: "serve", out: "v1\nv2\n" },
  {
    command: "tag ls",
    shows: "--format",
    args: "tag ls $R/app --format '{{json .Tags}}{{.Name}}'",
    against: "serve",
    out: "[\"amd64\",\"arm64\",\"stable\",\"v1\",\"v2\"]\napp"
  },
  {
    command: "tag ls",
    shows: "--format",
    args: "tag ls $R/app --format body",
    against: "serve",
    out: "{\"name\":\"app\",\"tags\":[\"amd64\",\"arm64\",\"stable\",\"v1\",\"v2\"]}"
  },
  {
    command: "tag ls",
    shows: "--format",
    args: "tag ls $R/app --format headers",
    against: "both",
    out: /^(\S+: .*\n)*Content-Type: application\/json.*\n(\S+: .*\n)*$/
  },
  {
    command: "tag ls",
    shows: "--format",
    args: "tag ls $R/base --format '{{(index .Index.Manifests 1).Digest}}'",
    against: "ocidir",
    out: d.base2
  },
  {
    command: "tag ls",
    args: "tag ls $OWN/nope",
    against: "both",
    err: /^failed to list tags for \$OWN\/nope:latest: request failed: not found \[http 404\]: /
  },
  {
    command: "tag ls",
    args: "tag ls $OWN/nope",
    against: "ocidir",
    err: "oci-layout cannot be open: open $DIR/own/nope/oci-layout: no such file or directory\n"
  },
  {
    command: "tag ls",
    shows: "--include",
    args: "tag ls $R/app --include '['",
    against: "serve",
    err: /^failed to parse regexp "\[": /
  },

  // The docker-registry's catalog is that of its tree, `serve` has the case's own repositories too.
  { command: "repo ls", shows: "--limit", args: "repo ls $HOST --limit 1", against: "both", out: "app\n" },
  {
    command: "repo ls",
    shows: "list --last --limit",
    args: "repo list --last app $HOST --limit 2",
    against: "both",
    out: "artifact\nbase\n"
  },
  {
    command: "repo ls",
    shows: "--format",
    args: "repo ls $HOST --limit 2 --format '{{.Repositories}}{{range .GetRepos}} {{.}}{{end}}'",
    against: "both",
    out: "[app artifact] app artifact"
  },
  {
    command: "repo ls",
    args: "repo ls $HOST --limit 1 --format '{{jsonPretty .}}'",
    against: "both",
    out: "{\n  \"repositories\": [\n    \"app\"\n  ]\n}\n"
  },
  {
    command: "repo ls",
    args: "repo ls $HOST",
    against: "login",
    config: { hosts: { $HOST: { tls: "disabled", user: "ada", pass: "lovelace" } } },
    out: `app\n${catalog}`
  },
  {
    command: "repo ls",
    args: "repo ls $HOST/app",
    against: "serve",
    err: /level=ERROR msg="Hostname invalid".*\ninvalid input\n$/
  },

  { command: "repo copy", args: "repo copy $R/app $OWN/copy", check: all },
  {
    command: "repo copy",
    shows: "cp --concurrent",
    args: "repo cp --concurrent 0 $R/app $OWN/copy",
    against: "serve",
    check: all
  },
  {
    command: "repo copy",
    shows: "--include --exclude",
    args: "repo copy --include 'v.*' --include arm64 --exclude v2 $R/app $OWN/copy",
    check: async ({ own }) => assert.deepStrictEqual(await own.tags("copy"), ["arm64", "v1"])
  },
  {
    command: "repo copy",
    shows: "--new-tags",
    args: "repo copy --new-tags $R/app $OWN/copy",
    before: ["image copy $R/app:v2 $OWN/copy:v1"],
    check: async ({ own }) => {
      assert.strictEqual((await own.manifest("copy", "v1"))?.digest, d.v2)
      assert.strictEqual((await own.manifest("copy", "v2"))?.digest, d.v2)
    }
  },
  {
    command: "repo copy",
    shows: "--referrers",
    args: "repo copy --referrers --include v1 $R/signed $OWN/copy",
    check: async ({ own }) =>
      assert.deepStrictEqual(await own.referrers("copy", d.base1), [d.cid, d.bob, d.ann].toSorted())
  },
  {
    command: "repo copy",
    shows: "--include",
    args: "repo copy --include '[' $R/app $OWN/copy",
    against: "serve",
    err: /^failed to parse include regexp: "\[", /
  },
  {
    command: "repo copy",
    args: "repo copy $R/nope $OWN/copy",
    against: "both",
    err: /^failed to list tags in \$R\/nope: /
  }
]
