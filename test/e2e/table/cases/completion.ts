/** `regctl completion …`, what its scripts call back, and `cli-doc`. */
import { assert } from "@effect/vitest"
import type { Case } from "../case.ts"

const local = { against: "local" } as const
/** Candidates first, then the directive; the Go tool says the directive in words on standard error too. */
const completes = (words: string, out: string | RegExp, more: Partial<Case> = {}): Case => ({
  command: "completion bash",
  args: `__complete ${words}`,
  out,
  err: /^(Completion ended with directive: .*\n)?$/,
  code: 0,
  ...local,
  ...more
})

export const completion: ReadonlyArray<Case> = [
  { command: "completion bash", args: "completion bash", ...local, out: /__complete[^]*complete .*regctl/ },
  {
    command: "completion bash",
    shows: "--no-descriptions",
    args: "completion bash --no-descriptions",
    ...local,
    out: /__completeNoDesc/
  },
  { command: "completion zsh", args: "completion zsh", ...local, out: /^#compdef regctl\n/ },
  {
    command: "completion zsh",
    shows: "--no-descriptions",
    args: "completion zsh --no-descriptions",
    ...local,
    out: /__completeNoDesc/
  },
  { command: "completion fish", args: "completion fish", ...local, out: /complete -c regctl / },
  {
    command: "completion fish",
    shows: "--no-descriptions",
    args: "completion fish --no-descriptions",
    ...local,
    out: /__completeNoDesc/
  },
  { command: "completion powershell", args: "completion powershell", ...local, out: /Register-ArgumentCompleter/ },
  {
    command: "completion powershell",
    shows: "--no-descriptions",
    args: "completion powershell --no-descriptions",
    ...local,
    out: /__completeNoDesc/
  },
  completes("tag ''", /^delete\t.*\nls\t.*\n:4\n$/),
  completes("image co", /^copy\t.*\n:4\n$/),
  completes("manifest get --plat", /^--platform(\t.*)?\n:4\n$/),
  completes("manifest get -p linux/arm6", /(^|\n)linux\/arm64\n[^]*:4\n$/),
  completes("registry set --tls ''", "enabled\ninsecure\ndisabled\n:4\n"),
  completes("manifest get $R/app:v", "$R/app:v1\n$R/app:v2\n:4\n", { against: "all" }),
  completes("registry login registry.ex", "registry.example.org\n:4\n", {
    config: { hosts: { "registry.example.org": { user: "ada" } } }
  }),

  {
    command: "cli-doc",
    shows: "--list",
    args: "cli-doc --list",
    ...local,
    out:
      /^regctl\n[^]*regctl blob\nregctl blob copy\n[^]*\nregctl completion zsh\n[^]*\nregctl help\n[^]*\nregctl version\n$/
  },
  {
    command: "cli-doc",
    shows: "--list --hidden",
    args: "cli-doc --list --hidden",
    ...local,
    out: /^regctl\n[^]*\nregctl cli-doc\n[^]*\nregctl digest\n[^]*\nregctl ref\n/
  },
  {
    command: "cli-doc",
    args: "cli-doc image copy",
    ...local,
    out:
      /^## regctl image copy\n[^]*```\nregctl image copy <src_image_ref> <dst_image_ref> \[flags\]\n```[^]*--force-recursive/
  },
  {
    command: "cli-doc",
    shows: "--format",
    args: "cli-doc image copy --format '{{.CommandPath}}'",
    ...local,
    out: "regctl image copy",
    check: ({ ran }) => assert.strictEqual(ran.err, "")
  }
]
