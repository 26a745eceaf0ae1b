/** The command line of the benchmarks. */
import { parseArgs } from "node:util"

export interface Options {
  /** Names of cases, or beginnings of names; all where none is given. */
  readonly cases: ReadonlyArray<string>
  /** How often each tool runs; short cases take more, very long ones fewer. */
  readonly rounds: number
  /** One round of small content: shows that everything runs, and no figure worth keeping. */
  readonly isQuick: boolean
  readonly isList: boolean
}

export const usage = `npm run bench -- [--case NAME]... [--rounds N] [--quick] [--list]
  --case NAME   only this case, or those that begin so; may be repeated
  --rounds N    runs of each tool in a case (3; start-up has more)
  --quick       one round, small content
  --list        name the cases
`

/** Reads the command line; a failure says what is wrong with it. */
export const optionsOf = (args: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      case: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      list: { type: "boolean", default: false }
    }
  })
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: a whole number from 1`)
  return { cases: values.case, rounds, isQuick: values.quick, isList: values.list }
}
