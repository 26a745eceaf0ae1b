/** Go templates of users: `--format`, written piece by piece to stdout, and the texts of configuration files. */
import { Clock, Context, Data, Effect, Layer, Stdio, Stream } from "effect"
import { compile, type Compiled } from "../lib/gotemplate.ts"
import { bytesOf, TemplateFailure } from "../lib/gotemplate/value.ts"
import { processEnvironment, smallFile, templateFunctions } from "../lib/templateFunctions.ts"

export class TemplateError extends Data.TaggedError("TemplateError")<{ readonly message: string }> {}

export class Formatter extends Context.Service<Formatter, {
  /**
   * Renders `view` by a Go template. What was written before an error stays written. `raw`, `raw-body`, `rawBody`,
   * `body`, `raw-headers`, `rawHeaders` and `headers` are templates of their own when `named` is set, the last three
   * alone when it is "headers".
   */
  readonly write: (
    template: string,
    view: unknown,
    options?: { readonly named?: boolean | "headers" }
  ) => Effect.Effect<void, TemplateError>
  /**
   * What a template makes of `view`: at most 1 MiB within a second (faults K10). What `env` or `file` do not find is
   * told once.
   */
  readonly expand: (template: string, view: unknown) => Effect.Effect<string, TemplateError>
}>()("regclient/services/Formatter") {
  /** Environment and files are those of the process (faults K12). */
  static readonly layer = Layer.effect(
    Formatter,
    Effect.gen(function*() {
      const stdio = yield* Stdio.Stdio
      const expansion = new Expansion()
      return Formatter.of({
        expand: Effect.fnUntraced(function*(template, view) {
          // Most texts of a configuration are no templates.
          if (!template.includes("{{")) return template
          const { problem, text, warnings } = expansion.run(template, view, yield* Clock.currentTimeMillis)
          for (const warning of warnings) yield* Effect.logWarning(warning)
          return problem === undefined ? text : yield* new TemplateError({ message: problem })
        }),
        write: Effect.fn("Formatter.write")(function*(template, view, { named = false } = {}) {
          const now = yield* Clock.currentTimeMillis
          const warnings: Array<string> = []
          const functions = templateFunctions({
            env: processEnvironment,
            file: smallFile,
            now: () => now,
            warn: (text) => warnings.push(text)
          })
          const { pieces, problem } = rendered(namedFormat(template, named), view, functions)
          yield* Stream.run(Stream.fromIterable(pieces), stdio.stdout()).pipe(
            // A reader that went away, such as `head`, has what it wanted.
            Effect.catchIf((error) => isBrokenPipe(error), () => Effect.void),
            Effect.mapError((error) => new TemplateError({ message: `failed to write output: ${error.message}` }))
          )
          for (const warning of warnings) yield* Effect.logWarning(warning)
          if (problem !== undefined) return yield* new TemplateError({ message: problem })
        })
      })
    })
  )
}

/** Bytes that a text of a configuration may become. */
const longest = 1024 * 1024

/** Templates that stay compiled: those of all entries of a file are mostly one. */
const kept = 100

/** Expands templates one after the other, never two at once. */
class Expansion {
  private now = 0
  private warnings: Array<string> = []
  private readonly told = new Set<string>()
  private readonly compiled = new Map<string, Compiled>()
  private readonly functions = templateFunctions({
    env: processEnvironment,
    file: smallFile,
    now: () => this.now,
    warn: (text) => {
      if (this.told.has(text)) return
      this.told.add(text)
      this.warnings.push(text)
    }
  })

  run(template: string, view: unknown, now: number) {
    this.now = now
    this.warnings = []
    const compiled = this.compiledOf(template)
    const parts: Array<string> = []
    let size = 0
    const problem = "problem" in compiled ? compiled.problem : compiled.render(view, (piece) => {
      size += Buffer.byteLength(piece)
      if (size > longest) throw new TemplateFailure(`template: out: more than ${longest} bytes of output`)
      parts.push(piece)
    })
    return { text: parts.join(""), problem, warnings: this.warnings }
  }

  private compiledOf(template: string): Compiled {
    const found = this.compiled.get(template) ?? compile(template, { functions: this.functions })
    if (this.compiled.size >= kept) this.compiled.clear()
    this.compiled.set(template, found)
    return found
  }
}

const headers = `{{range $k,$v := .RawHeaders}}{{range $x := $v}}{{printf "%s: %s\\n" $k $x}}{{end}}{{end}}`
const body = `{{printf "%s" .RawBody}}`
const namedFormats: Readonly<Record<string, string>> = {
  raw: `${headers}{{"\\n"}}${body}`,
  "raw-body": body,
  rawBody: body,
  body,
  "raw-headers": headers,
  rawHeaders: headers,
  headers
}

/** The template a name such as `raw-body` stands for; any other text is its own. */
export const namedFormat = (text: string, named: boolean | "headers" = true): string => {
  const found = named !== false && Object.hasOwn(namedFormats, text) ? namedFormats[text] : undefined
  return found === undefined || (named === "headers" && found !== headers) ? text : found
}

const rendered = (text: string, view: unknown, functions: ReturnType<typeof templateFunctions>) => {
  const pieces: Array<Uint8Array> = []
  const template = compile(text, { functions })
  const problem = "problem" in template ? template.problem : template.render(view, (piece) => {
    pieces.push(bytesOf(piece))
  })
  return { pieces: pieces.length > 1 ? [Buffer.concat(pieces)] : pieces, problem }
}

const isBrokenPipe = (error: { readonly reason?: unknown }): boolean => {
  const { cause } = (error.reason ?? {}) as { readonly cause?: { readonly code?: unknown } } // shape of a system error
  return cause?.code === "EPIPE"
}
