/** `regctl artifact get`. */
import { assert } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { After, Case } from "../case.ts"
import { unlisted } from "./unlisted.ts"

const has = (files: Readonly<Record<string, string>>) => ({ dir }: After) => {
  for (const [name, content] of Object.entries(files)) {
    assert.strictEqual(readFileSync(join(dir, name), "utf8"), content, name)
  }
}
const example = "application/vnd.example"

export const artifactGet: ReadonlyArray<Case> = [
  { command: "artifact get", args: "artifact get $R/artifact:one", out: "for linux\n" },
  {
    command: "artifact get",
    shows: "pull --file",
    against: "both",
    args: "artifact pull --file hello.txt --file nope $R/artifact:v1",
    out: "hello\n"
  },
  {
    command: "artifact get",
    shows: "-f",
    args: "artifact get -f docs/b.json $R/artifact:v1",
    against: "serve",
    out: `{"b":1}`
  },
  {
    command: "artifact get",
    shows: "--file-media-type",
    against: "both",
    args: "artifact get --file-media-type application/json $R/artifact:v1",
    out: `{"b":1}`
  },
  {
    command: "artifact get",
    shows: "-m",
    args: "artifact get -m text/plain -f hello.txt $R/artifact:v1",
    against: "serve",
    out: "hello\n"
  },
  {
    command: "artifact get",
    args: "artifact get $R/artifact:v1",
    against: "serve",
    err: "more than one matching layer found, add filters or specify output dir\n"
  },
  {
    command: "artifact get",
    args: "artifact get -f nope $R/artifact:v1",
    against: "serve",
    err: "no matching layers found in the artifact, verify media-type and filename\n"
  },
  {
    command: "artifact get",
    args: "artifact get",
    against: "local",
    err: "either a reference or subject must be provided\n"
  },
  { command: "artifact get", shows: "--config", args: "artifact get --config $R/artifact:v1", out: `{"level":1}` },
  {
    command: "artifact get",
    shows: "--config-file",
    args: "artifact get --config-file out.json -f hello.txt $R/artifact:v1",
    out: "hello\n",
    check: has({ "out.json": `{"level":1}` })
  },
  {
    command: "artifact get",
    shows: "--config --config-file",
    args: "artifact get --config --config-file out.json $R/artifact:v1",
    against: "serve",
    check: has({ "out.json": `{"level":1}` })
  },
  {
    command: "artifact get",
    shows: "--output",
    against: "both",
    args: "artifact get --output out $R/artifact:v1",
    files: { "out/keep": "kept" },
    check: (after) => {
      has({
        "out/hello.txt": "hello\n",
        "out/docs/b.json": `{"b":1}`,
        "out/pack/in/side.txt": "side\n",
        "out/keep": "kept"
      })(
        after
      )
    }
  },
  {
    command: "artifact get",
    shows: "-o --strip-dirs",
    against: "both",
    args: "artifact get -o out --strip-dirs $R/artifact:v1",
    files: { "out/keep": "kept" },
    check: (after) => {
      has({ "out/hello.txt": "hello\n", "out/b.json": `{"b":1}`, "out/in/side.txt": "side\n" })(after)
      assert.isFalse(existsSync(join(after.dir, "out/docs")))
    }
  },
  {
    command: "artifact get",
    shows: "-o",
    args: "artifact get -o nope $R/artifact:v1",
    against: "serve",
    err: /^output directory unavailable: /
  },
  {
    command: "artifact get",
    shows: "--filter-artifact-type",
    args: `artifact get --filter-artifact-type ${example}.other $R/artifact:index`,
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--filter-annotation",
    against: "both",
    args: "artifact get --filter-annotation channel=beta --filter-annotation rank $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--platform",
    against: "both",
    args: "artifact get --platform windows/amd64 $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "-p --subject",
    args: "artifact get -p linux/amd64 --subject $R/signed:v1",
    out: `{"spdxVersion":"amd64"}`
  },
  {
    command: "artifact get",
    shows: "--sort-annotation",
    against: "both",
    args: "artifact get --sort-annotation rank $R/artifact:index",
    out: "for linux\n"
  },
  {
    command: "artifact get",
    shows: "--sort-annotation --sort-desc",
    against: "both",
    args: "artifact get --sort-annotation rank --sort-desc $R/artifact:index",
    out: "for windows\n"
  },
  {
    command: "artifact get",
    shows: "--filter-annotation",
    args: "artifact get --filter-annotation channel=none $R/artifact:index",
    against: "serve",
    err: "no matching artifacts found in index: not found\n"
  },
  {
    command: "artifact get",
    shows: "--subject --latest",
    args: `artifact get --subject $R/signed:v1 --latest --filter-artifact-type ${example}.signature`,
    out: "signature by ann"
  },
  {
    command: "artifact get",
    shows: "--latest --sort-annotation",
    args: "artifact get --latest --sort-annotation a $R/artifact:index",
    against: "local",
    err: "--latest cannot be used with --sort-annotation\n"
  },
  {
    command: "artifact get",
    shows: "--subject",
    args: `artifact get --subject $R/signed:v1 --filter-artifact-type none/x`,
    against: "serve",
    err: "no matching referrers to $R/signed:v1\n"
  },
  {
    command: "artifact get",
    shows: "--subject",
    args: `artifact get --subject $R/signed:v1 --filter-artifact-type ${example}.signature`,
    against: "ocidir",
    out: "signature by bob",
    err: /level=WARN msg="multiple referrers match, using first match"/,
    code: 0
  },
  {
    command: "artifact get",
    shows: "--refers",
    against: "both",
    args: "artifact get --refers $R/signed:v1 --filter-artifact-type application/spdx+json",
    out: `{"spdxVersion":"SPDX-2.3"}`,
    err: /level=WARN msg="--refers is deprecated, use --subject instead"/,
    code: 0
  },
  {
    command: "artifact get",
    shows: "--external",
    against: "both",
    args: "artifact get --external $R/reports --subject $R/signed:v1",
    out: `{"passed":true}`
  },
  {
    command: "artifact get",
    shows: "--slow-referrers",
    args: "artifact get --slow-referrers --subject ocidir://lay:v1",
    against: "ocidir",
    files: unlisted(),
    out: "hello\n"
  }
]
