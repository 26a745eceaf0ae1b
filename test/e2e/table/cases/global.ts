/** What belongs to every command: global flags, help, the rules of the command line; and the commands without a registry. */
import { assert } from "@effect/vitest"
import { type Case, d } from "../case.ts"

const local = { command: "", against: "local" } as const
const bad = (args: string, err: string): Case => ({ ...local, args, err: `${err}\n` })
const version = (key: string): Case => ({
  command: "version",
  against: "local",
  args: `version --format '{{.${key}}}'`,
  out: /^\S*$/
})

export const global: ReadonlyArray<Case> = [
  {
    command: "",
    shows: "--host",
    args: "--host reg=$HOST,user=ada,pass=lovelace,tls=disabled tag ls $R/base",
    against: "login",
    config: null,
    out: "1\n2\n"
  },
  {
    command: "",
    shows: "--host",
    args: "tag ls $R/base --host reg=$HOST,tls=disabled,nonsense=1",
    against: "both",
    config: null,
    out: "1\n2\n"
  },
  {
    command: "",
    shows: "--logopt --verbosity",
    args: "tag ls $R/base --logopt json --verbosity INFO --logopt nonsense --host tls=x",
    against: "serve",
    out: "1\n2\n",
    err: /^\{"time":"[^"]+","level":"WARN","msg":"[^"]+".*\}\n/,
    code: 0
  },
  {
    command: "",
    shows: "-v",
    args: "tag ls $R/base -v debug",
    against: "serve",
    out: "1\n2\n",
    err: /^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S+ level=DEBUG msg=/,
    code: 0
  },
  {
    command: "",
    shows: "--user-agent",
    args: "manifest head $OWN/app:v1 --user-agent inspector/7",
    against: "spy",
    out: /^sha256:/,
    check: ({ asked }) => assert.deepStrictEqual(asked.map(({ headers }) => headers["user-agent"]), ["inspector/7"])
  },
  {
    command: "",
    args: "manifest head $OWN/app:v1",
    note: "who asks",
    against: "spy",
    out: /^sha256:/,
    check: ({ asked }) => assert.match(String(asked[0]?.headers["user-agent"]), /^regclient\/regctl \(.+\)$/)
  },
  {
    ...local,
    shows: "--help",
    args: "--help",
    out: /\nAvailable Commands:\n[^]*\nUse "regctl \[command\] --help" for more/
  },
  {
    ...local,
    shows: "-h",
    args: "tag ls -h a b c",
    out: /^[^]*\nUsage:\n {2}regctl tag ls <repository> \[flags\]\n[^]*\nGlobal Flags:\n/
  },
  { ...local, args: "image", out: /\nUsage:\n {2}regctl image \[command\]\n/ },
  { ...local, args: "image foo", out: /\nUsage:\n {2}regctl image \[command\]\n/ },
  { ...local, args: "", out: /\nUsage:\n {2}regctl \[command\]\n/ },
  {
    command: "help",
    against: "local",
    args: "help blob get",
    out: /\nUsage:\n {2}regctl blob get <repository> <digest> \[flags\]\n/
  },
  {
    command: "help",
    against: "local",
    args: "help nope",
    err: /^Unknown help topic \[`nope`\]\nUsage:\n {2}regctl \[command\]\n/,
    code: 0
  },

  // §1.3
  bad("tag ls --nope a", "unknown flag: --nope"),
  bad("tag ls -z a", "unknown shorthand flag: 'z' in -z"),
  bad("tag ls a --limit", "flag needs an argument: --limit"),
  bad("manifest get a -p", "flag needs an argument: 'p' in -p"),
  bad(
    "image copy --fast=x a b",
    "invalid argument \"x\" for \"--fast\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
  ),
  bad(
    "tag ls a --limit x",
    "invalid argument \"x\" for \"--limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
  ),
  bad(
    "registry set --priority -1",
    "invalid argument \"-1\" for \"--priority\" flag: strconv.ParseUint: parsing \"-1\": invalid syntax"
  ),
  bad(
    "registry set --req-per-sec x",
    "invalid argument \"x\" for \"--req-per-sec\" flag: strconv.ParseFloat: parsing \"x\": invalid syntax"
  ),
  bad("image copy", "accepts 2 arg(s), received 0"),
  bad("registry config a b", "accepts between 0 and 1 arg(s), received 2"),
  bad("foo", "unknown command \"foo\" for \"regctl\""),
  bad("blub", "unknown command \"blub\" for \"regctl\"\n\nDid you mean this?\n\tblob\n"),
  bad("re", "unknown command \"re\" for \"regctl\"\n\nDid you mean this?\n\tregistry\n\trepo\n"),
  bad("--version", "unknown flag: --version"),
  bad("tag ls --nope -v foo", "unknown flag: --nope"),
  bad("tag ls -v foo", "accepts 1 arg(s), received 0"),
  bad("tag ls A/b -v foo", "unable to parse verbosity foo: slog: level string \"foo\": unknown name"),
  bad("tag ls A/b", "invalid reference \"A/b\", repo must be lowercase"),
  { ...local, args: "ref -- -v", err: /^failed to parse -v: invalid reference "-v"/ },
  { ...local, args: "-vdebug-4 ref --format={{.Tag}} a:1 -v=warn+2 --format '{{.Registry}}'", out: "docker.io" },
  {
    command: "",
    args: "tag ls $R/base",
    note: "a registry that speaks no TLS",
    against: "both",
    config: null,
    err:
      /http: server gave HTTP response to HTTPS client[^]*\nTry updating your registry with "regctl registry set --tls disabled <registry>"\n$/
  },
  {
    ...local,
    args: "ref a",
    note: "a broken configuration",
    env: { REGCTL_CONFIG: "$DIR" },
    out: "docker.io/library/a:latest"
  },

  // §4.5, §4.9, §4.13
  { command: "digest", against: "local", args: "digest", stdin: "hello\n", out: d.hello },
  {
    command: "digest",
    shows: "--algorithm --format",
    against: "local",
    args: "digest --algorithm sha384 --format '{{.Algorithm}} {{.Hex}}'",
    stdin: "hello\n",
    out: "sha384 1d0f284efe3edea4b9ca3bd514fa134b17eae361ccc7a1eefeff801b9bd6604e01f21f6bf249ef030599f0c218f2ba8c"
  },
  {
    command: "digest",
    shows: "--algorithm",
    against: "local",
    args: "digest --algorithm md5",
    err: "digest algorithm md5 is not available\n"
  },
  { command: "ref", against: "local", args: "ref localhost/a/b", out: "localhost/a/b:latest" },
  {
    command: "ref",
    shows: "--format",
    against: "local",
    args: `ref --format '{{.Registry}} {{.Repository}} {{.Tag}} {{.Digest}}' quay.io/a/b:1@${d.v1}`,
    out: `quay.io a/b 1 ${d.v1}`
  },
  {
    command: "version",
    against: "local",
    args: "version",
    out:
      /^VCSTag: {5}\S*\nVCSRef: {5}\S+\nVCSCommit: {2}\S+\nVCSState: {3}\S+\nVCSDate: {4}\S+\nPlatform: {3}\S+\nGoVer: {6}.+\nGoCompiler: \S+\n$/
  },
  {
    command: "version",
    shows: "--format",
    against: "local",
    args: "version --format '{{.Platform}}'",
    out: /^(linux|darwin|windows)\/\w+$/
  },
  {
    command: "version",
    against: "local",
    args: "version --format '{{json .}}'",
    out:
      /^\{"goVersion":".*","goCompiler":".*","platform":".*","vcsCommit":".*","vcsDate":".*","vcsRef":".*","vcsState":".*","vcsTag":".*"\}\n$/,
    differs: "has Go's build settings too"
  },
  ...["VCSTag", "VCSCommit", "VCSDate", "VCSState", "GoCompiler"].map(version)
]
