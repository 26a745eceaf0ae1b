/** Go templates (text/template): parsed once, rendered piece by piece into a sink. */
import { builtins, type Funcs } from "./gotemplate/builtins.ts"
import { evaluate, type Limits } from "./gotemplate/evaluate.ts"
import { parse } from "./gotemplate/parser.ts"
import { TemplateFailure } from "./gotemplate/value.ts"

export interface Options {
  /** More functions, which win over the built-in ones. */
  readonly functions?: Funcs
  readonly limits?: Partial<Limits>
}

export type Compiled = { readonly problem: string } | {
  /** Writes pieces into the sink as they are made; the text of what went wrong, or nothing. */
  readonly render: (view: unknown, write: (text: string) => void) => string | undefined
}

const defaults: Limits = { output: 1024 * 1024, time: 1_000, depth: 500 }

/** The name of every template, as it stands in error texts. */
const name = "out"

/** Parses a template. A piece of text may carry bytes that are no UTF-8: write it with `bytesOf`. */
export const compile = (text: string, { functions = {}, limits }: Options = {}): Compiled => {
  const caught = (run: () => void): string | undefined => {
    try {
      run()
      return undefined
    } catch (error) {
      if (error instanceof TemplateFailure) return error.message
      if (error instanceof RangeError) return `template: ${name}: too deeply nested`
      throw error
    }
  }
  const names = new Set([...Object.keys(builtins), ...Object.keys(functions)])
  let templates: ReturnType<typeof parse> | undefined
  const problem = caught(() => {
    templates = parse(name, text, names)
  })
  if (problem !== undefined || templates === undefined) return { problem: problem ?? "" }
  const source = { text, templates, functions }
  return {
    render: (view, write) => caught(() => evaluate(source, name, view, write, { ...defaults, ...limits }))
  }
}
