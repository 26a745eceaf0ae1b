/** Scripts that go wrong, as rows of a table, and how the tool is held to what they say. */
import { assert } from "@effect/vitest"
import type { Ran } from "./programs.ts"
import { regbot } from "./regbots.ts"

export interface Row {
  readonly id: string
  readonly what: string
  readonly script: string
  /** How it fails; without, it must not. */
  readonly fails?: RegExp
  /** What it prints, in order. */
  readonly prints?: ReadonlyArray<string | RegExp>
  readonly timeout?: string
  readonly sandbox?: boolean
}

export interface Told {
  readonly time: string
  readonly level: string
  readonly msg: string
  readonly script?: string
  readonly error?: string
  readonly reason?: string
  readonly message?: string
}

export const nameOf = ({ id, what }: Row): string => `${id} ${what}`

/** The registries of a run; in scripts REG is the first, SLOW the second. */
export interface Surroundings {
  readonly dir: string
  readonly hosts: readonly [string, string?]
}

const configOf = ({ hosts: [first, second] }: Surroundings, rows: ReadonlyArray<Row>, defaults: object): string =>
  JSON.stringify({
    version: 1,
    creds: [first, second].flatMap((host) => host === undefined ? [] : [{ registry: host, tls: "disabled" }]),
    defaults: { skipDockerConfig: true, ...defaults },
    scripts: rows.map((row) => ({
      name: nameOf(row),
      script: prelude + row.script.replaceAll("REG", first).replaceAll("SLOW", second ?? ""),
      ...(row.timeout === undefined ? {} : { timeout: row.timeout }),
      ...(row.sandbox === undefined ? {} : { sandbox: row.sandbox })
    }))
  })

/** What scripts print with `say` goes through `log`, which names them. */
const prelude =
  "local function say(...) local t = {} for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end " +
  "log(table.concat(t, ' ')) end "

const toldOf = ({ err }: Ran): ReadonlyArray<Told> =>
  err.split("\n").filter((it) => it.startsWith("{")).map((it) => JSON.parse(it))

/** Runs all rows in one process; gives its log, too. */
export const runRows = async (
  surroundings: Surroundings,
  rows: ReadonlyArray<Row>,
  defaults: object = {},
  args: ReadonlyArray<string> = []
): Promise<readonly [Ran, ReadonlyArray<Told>]> => {
  const config = configOf(surroundings, rows, defaults)
  const ran = await regbot(surroundings.dir, ["once", "--logopt", "json", ...args], config)
  return [ran, toldOf(ran)]
}

/** Holds each row to what it says, and what fails to the reason that all of them have. */
export const judgeRows = (rows: ReadonlyArray<Row>, told: ReadonlyArray<Told>, reason: string): void => {
  for (const row of rows) {
    const own = told.filter(({ script }) => script === nameOf(row))
    const failures = own.filter(({ msg }) => msg === "Error running script")
    const lines = own.filter(({ msg }) => msg === "User script message").map(({ message }) => message)
    const story = `${nameOf(row)}\n${JSON.stringify(own, undefined, 1)}`
    if (row.fails === undefined) assert.deepStrictEqual(failures, [], story)
    else {
      assert.strictEqual(failures.length, 1, story)
      assert.strictEqual(failures[0]?.level, "WARN", story)
      assert.match(failures[0]?.error ?? "", row.fails, story)
    }
    const expected = row.prints ?? []
    assert.strictEqual(lines.length, expected.length, story)
    expected.forEach((it, at) =>
      typeof it === "string" ? assert.strictEqual(lines[at], it, story) : assert.match(lines[at] ?? "", it, story)
    )
  }
  assert.strictEqual(told.at(-1)?.level, "ERROR")
  assert.strictEqual(told.at(-1)?.reason, reason)
}
