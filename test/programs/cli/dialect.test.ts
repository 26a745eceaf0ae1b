import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readCommandLine } from "../../../src/programs/cli/dialect.ts"
import { regctl } from "../../../src/programs/regctl/main.ts"

/** The command, its flags and its positionals as one line, or the error. */
const read = (...args: ReadonlyArray<string>): string =>
  Result.match(readCommandLine(regctl, args), {
    onFailure: ({ message }) => `error: ${message}`,
    onSuccess: ({ isHelp, occurrences, path, positionals }) =>
      [
        ...path.slice(1).map(({ name }) => name),
        ...occurrences.map(([name, value]) => `--${name}=${value}`),
        ...positionals.map((it) => `<${it}>`),
        ...(isHelp ? ["help"] : [])
      ].join(" ")
  })

const table = (rows: ReadonlyArray<readonly [line: string, expected: string]>) => {
  for (const [line, expected] of rows) {
    it(`${line} gives ${expected.split("\n")[0]}`, () => assert.strictEqual(read(...line.split(" ")), expected))
  }
}

describe("a command line", () => {
  table([
    ["tag ls r", "tag ls <r>"],
    ["tag list r", "tag ls <r>"],
    ["layer pull r d", "blob get <r> <d>"],
    ["image config r", "image inspect <r>"],
    ["image rate-limit r", "image ratelimit <r>"],
    ["--format x tag ls r", "tag ls --format=x <r>"],
    ["-v debug tag ls r", "tag ls --verbosity=debug <r>"],
    ["tag -vdebug ls r", "tag ls --verbosity=debug <r>"],
    ["image copy -plinux a b", "image copy --platform=linux <a> <b>"],
    ["image copy -p=linux a b", "image copy --platform=linux <a> <b>"],
    ["image copy a -p linux b", "image copy --platform=linux <a> <b>"],
    ["image copy --fast=t a b", "image copy --fast=true <a> <b>"],
    [
      "image mod --to-oci a --to-docker=t --env b=c --to-oci=",
      "image mod --to-oci=true --to-docker=t --env=b=c --to-oci= <a>"
    ],
    ["image mod --layer-rm-index x a", "image mod --layer-rm-index=x <a>"],
    ["image mod a --env", "error: flag needs an argument: --env"],
    ["image copy --fast false a", "image copy --fast=true <false> <a>"],
    ["image copy --format -x a b", "image copy --format=-x <a> <b>"],
    ["manifest get -p a -p b r", "manifest get --platform=a --platform=b <r>"],
    ["tag ls --exclude a,b --exclude c r", "tag ls --exclude=a,b --exclude=c <r>"],
    ["tag ls --limit 0x10 r", "tag ls --limit=16 <r>"],
    ["registry set --blob-max=-1 --req-per-sec 1.5 r", "registry set --blob-max=-1 --req-per-sec=1.5 <r>"],
    ["tag ls -- -x", "tag ls <-x>"],
    ["tag ls -", "tag ls <->"],
    ["digest", "digest"],
    ["registry login", "registry login"]
  ])

  it("keeps empty values", () => assert.strictEqual(read("ref", "--format=", "a"), "ref --format= <a>"))
  it("keeps an empty positional", () => assert.strictEqual(read("ref", ""), "ref <>"))
})

describe("a request for help", () => {
  table([
    ["tag ls --help", "tag ls --help=true help"],
    ["tag -h", "tag --help=true help"],
    ["image", "image help"],
    ["image foo", "image <foo> help"],
    ["-- version", "<version> help"],
    ["help tag ls", "help <tag> <ls>"],
    ["tag ls -h --nope", "error: unknown flag: --nope"]
  ])
  it("is what a tool without arguments gets", () => assert.strictEqual(read(), "help"))
})

describe("an error", () => {
  table([
    ["tag ls --nope r", "error: unknown flag: --nope"],
    ["image foo --nope", "error: unknown flag: --nope"],
    ["--version", "error: unknown flag: --version"],
    ["-z", "error: unknown shorthand flag: 'z' in -z"],
    ["manifest get -hz", "error: unknown shorthand flag: 'z' in -z"],
    ["tag ls --limit", "error: flag needs an argument: --limit"],
    ["manifest get -p", "error: flag needs an argument: 'p' in -p"],
    ["tag ls ---x", "error: bad flag syntax: ---x"],
    ["tag ls --=x", "error: bad flag syntax: --=x"],
    [
      "image copy --fast=x a b",
      "error: invalid argument \"x\" for \"--fast\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
    ],
    [
      "tag ls --limit x r",
      "error: invalid argument \"x\" for \"--limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
    ],
    [
      "tag ls --limit= r",
      "error: invalid argument \"\" for \"--limit\" flag: strconv.ParseInt: parsing \"\": invalid syntax"
    ],
    [
      "tag ls --limit 99999999999999999999 r",
      "error: invalid argument \"99999999999999999999\" for \"--limit\" flag: strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
    ],
    [
      "registry set --priority -1 r",
      "error: invalid argument \"-1\" for \"--priority\" flag: strconv.ParseUint: parsing \"-1\": invalid syntax"
    ],
    [
      "registry set --req-per-sec x r",
      "error: invalid argument \"x\" for \"--req-per-sec\" flag: strconv.ParseFloat: parsing \"x\": invalid syntax"
    ],
    ["image copy", "error: accepts 2 arg(s), received 0"],
    ["tag ls a b", "error: accepts 1 arg(s), received 2"],
    ["version x", "error: accepts 0 arg(s), received 1"],
    ["registry login a b", "error: accepts between 0 and 1 arg(s), received 2"],
    ["foo", "error: unknown command \"foo\" for \"regctl\""],
    ["foo --nope", "error: unknown command \"foo\" for \"regctl\""],
    ["im", "error: unknown command \"im\" for \"regctl\"\n\nDid you mean this?\n\timage\n"],
    ["imag copy", "error: unknown command \"imag\" for \"regctl\"\n\nDid you mean this?\n\timage\n\ttag\n"],
    ["dige", "error: unknown command \"dige\" for \"regctl\""]
  ])

  it("quotes what was typed, so that it acts on no terminal", () =>
    assert.strictEqual(read("\u001b[2J\u202e"), "error: unknown command \"\\x1b[2J\\u202e\" for \"regctl\""))
})
