/** Text of a Go template to tokens. The last token is the end or the first mistake; positions are string offsets. */

export type TokenType =
  | "error"
  | "eof"
  | "text"
  | "leftDelim"
  | "rightDelim"
  | "space"
  | "bool"
  | "char"
  | "charConstant"
  | "complex"
  | "assign"
  | "declare"
  | "field"
  | "identifier"
  | "leftParen"
  | "rightParen"
  | "number"
  | "pipe"
  | "rawString"
  | "string"
  | "variable"
  | "dot"
  | "nil"
  | "keyword"

export interface Token {
  readonly type: TokenType
  readonly at: number
  readonly line: number
  readonly text: string
}

const keywords: ReadonlySet<string> = new Set([
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "range",
  "template",
  "with"
])

const isSpace = (character: string | undefined): boolean =>
  character === " " || character === "\t" || character === "\r" || character === "\n"

const isWord = (character: string | undefined): boolean =>
  character !== undefined && (character === "_" || /[\p{L}\p{Nd}]/u.test(character))

/** Go's `%#U`. */
const codePoint = (character: string): string => {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")
  return /[\p{C}\p{Z}]/u.test(character) && character !== " " ? `U+${hex}` : `U+${hex} '${character}'`
}

export const lex = (input: string): ReadonlyArray<Token> => new Lexer(input).run()

class Lexer {
  readonly tokens: Array<Token> = []
  at = 0
  start = 0
  line = 1
  startLine = 1
  depth = 0
  readonly input: string
  constructor(input: string) {
    this.input = input
  }

  run(): ReadonlyArray<Token> {
    while (this.text()) { /* an action was read, text follows */ }
    return this.tokens
  }

  emit(type: TokenType): true {
    this.tokens.push({ type, at: this.start, line: this.startLine, text: this.input.slice(this.start, this.at) })
    return this.skip()
  }

  /** Moves on; what lies behind belongs to no later token. */
  skip(): true {
    for (let at = this.start; at < this.at; at++) if (this.input[at] === "\n") this.line++
    this.start = this.at
    this.startLine = this.line
    return true
  }

  fail(text: string): false {
    this.tokens.push({ type: "error", at: this.start, line: this.startLine, text })
    return false
  }

  /** Text up to the next action, then that action. False at the end or a mistake. */
  text(): boolean {
    const open = this.input.indexOf("{{", this.at)
    this.at = open < 0 ? this.input.length : open
    const isTrimmed = open >= 0 && this.input[open + 2] === "-" && isSpace(this.input[open + 3])
    if (isTrimmed) { while (this.at > this.start && isSpace(this.input[this.at - 1])) this.at-- }
    if (this.at > this.start) this.emit("text")
    if (open < 0) {
      this.emit("eof")
      return false
    }
    this.at = open
    this.skip()
    const content = open + (isTrimmed ? 4 : 2)
    if (this.input.startsWith("/*", content)) return this.comment(content)
    this.at = open + 2
    this.emit("leftDelim")
    this.at = content
    this.skip()
    this.depth = 0
    while (this.insideAction()) { /* one token at a time */ }
    return this.tokens.at(-1)?.type === "rightDelim"
  }

  comment(from: number): boolean {
    const end = this.input.indexOf("*/", from)
    this.at = from
    this.skip()
    if (end < 0) return this.fail("unclosed comment")
    this.at = end + 2
    const close = this.rightDelim()
    if (close === 0) return this.fail("comment ends before closing delimiter")
    this.closeAt(close)
    return true
  }

  /** Length of a closing delimiter here, with its trim marker; 0 for none. */
  rightDelim(): number {
    if (this.input.startsWith("}}", this.at)) return 2
    return isSpace(this.input[this.at]) && this.input.startsWith("-}}", this.at + 1) ? 4 : 0
  }

  closeAt(length: number): void {
    this.at += length
    if (length === 4) this.skipSpace()
    this.skip()
  }

  skipSpace(): void {
    while (isSpace(this.input[this.at])) this.at++
    this.skip()
  }

  /** Reads one token of an action; false when the action, or the reading, is over. */
  insideAction(): boolean {
    const close = this.rightDelim()
    if (close > 0) {
      if (this.depth > 0) return this.fail("unclosed left paren")
      this.at += close - 2
      this.skip()
      this.at += 2
      this.emit("rightDelim")
      if (close === 4) this.skipSpace()
      return false
    }
    const character = this.input[this.at]
    if (character === undefined) return this.fail("unclosed action")
    if (isSpace(character)) return this.space()
    switch (character) {
      case "=":
        return this.one("assign")
      case ":":
        this.at++
        if (this.input[this.at] !== "=") return this.fail("expected :=")
        return this.one("declare")
      case "|":
        return this.one("pipe")
      case "\"":
        return this.quoted("\"", "string", "unterminated quoted string")
      case "'":
        return this.quoted("'", "charConstant", "unterminated character constant")
      case "`":
        return this.raw()
      case "$":
        return this.word("variable")
      case "(":
        this.depth++
        return this.one("leftParen")
      case ")":
        if (--this.depth < 0) {
          this.at++
          return this.fail("unexpected right paren")
        }
        return this.one("rightParen")
      case ".":
        // At the end of the text Go takes it for the beginning of a number.
        return /[0-9]/.test(this.input[this.at + 1] ?? "0") ? this.number() : this.word("field")
      default:
        return this.other(String.fromCodePoint(this.input.codePointAt(this.at) ?? 0))
    }
  }

  other(character: string): boolean {
    if (/[+\-0-9]/.test(character)) return this.number()
    if (isWord(character)) return this.word("identifier")
    if (character >= " " && character <= "~") return this.one("char")
    return this.fail(`unrecognized character in action: ${codePoint(character)}`)
  }

  one(type: TokenType): true {
    this.at++
    return this.emit(type)
  }

  space(): boolean {
    while (isSpace(this.input[this.at]) && this.rightDelim() === 0) this.at++
    return this.at > this.start ? this.emit("space") : true
  }

  quoted(quote: string, type: TokenType, problem: string): boolean {
    for (this.at++;; this.at++) {
      const character = this.input[this.at]
      if (character === quote) return this.one(type)
      if (character === "\\") this.at++
      if (this.input[this.at] === undefined || this.input[this.at] === "\n") return this.fail(problem)
    }
  }

  raw(): boolean {
    const end = this.input.indexOf("`", this.at + 1)
    if (end < 0) return this.fail("unterminated raw quoted string")
    this.at = end
    return this.one("rawString")
  }

  /** A field, a variable, or an identifier; a lone `.` or `$` too. */
  word(type: "field" | "variable" | "identifier"): boolean {
    if (type !== "identifier") this.at++
    const from = this.at
    let character = this.character()
    while (isWord(character)) {
      this.at += character?.length ?? 0
      character = this.character()
    }
    if (!this.isTerminator(character)) return this.fail(`bad character ${codePoint(character ?? "")}`)
    const text = this.input.slice(this.start, this.at)
    if (type !== "identifier") return this.emit(this.at > from || type === "variable" ? type : "dot")
    if (keywords.has(text)) return this.emit("keyword")
    return this.emit(text === "true" || text === "false" ? "bool" : text === "nil" ? "nil" : "identifier")
  }

  character(): string | undefined {
    const code = this.input.codePointAt(this.at)
    return code === undefined ? undefined : String.fromCodePoint(code)
  }

  isTerminator(character: string | undefined): boolean {
    return character === undefined || isSpace(character) || ".,|:()".includes(character) ||
      this.input.startsWith("}}", this.at)
  }

  number(): boolean {
    const [, real = "", imaginary] = numberForm.exec(this.input.slice(this.at, this.at + 400)) ?? []
    this.at += real.length + (imaginary?.length ?? 0)
    const next = this.character()
    if (real === "" || isWord(next)) {
      this.at += next !== undefined && isWord(next) ? next.length : 0
      return this.fail(`bad number syntax: ${JSON.stringify(this.input.slice(this.start, this.at))}`)
    }
    return this.emit(imaginary !== undefined || real.endsWith("i") ? "complex" : "number")
  }
}

const numberForm = new RegExp(
  "^([+-]?(?:0[xX][0-9a-fA-F_]*(?:\\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*|0[bB][01_]*" +
    "|[0-9_]*(?:\\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?)([+-][0-9_]*(?:\\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?i)?"
)
