import { assert, describe, it } from "@effect/vitest"
import { checkHeadSoFar, Malformed, parseResponseHead } from "../../../src/lib/http/responseHead.ts"

/** A head of these lines. */
const head = (...lines: ReadonlyArray<string>) => lines.join("\r\n")

const refused = (text: string, isBodiless = false): string => {
  try {
    return `read as ${JSON.stringify(parseResponseHead(text, isBodiless))}`
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}

describe("parseResponseHead", () => {
  it("reads status, headers by lower-case name in their order, and the length", () => {
    const read = parseResponseHead(
      head(
        "HTTP/1.1 404 Not Found",
        "Content-Type: text/plain",
        "WARNING: 299 - \"one\"",
        "Content-Length: 12",
        "warning:\t 299 - \"two\" \t",
        "X-Empty:",
        "__proto__: none"
      ),
      false
    )
    assert.deepStrictEqual([read.status, read.framing, read.isKept], [404, 12, true])
    assert.deepStrictEqual(Object.entries(read.headers), [
      ["content-type", ["text/plain"]],
      ["warning", ["299 - \"one\"", "299 - \"two\""]],
      ["content-length", ["12"]],
      ["x-empty", [""]],
      ["__proto__", ["none"]]
    ])
  })

  it("takes a status line without reason, with an empty one, and with bytes above 127", () => {
    for (const line of ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 \u00fcber\tall"])
      assert.strictEqual(parseResponseHead(line, false).status, 200)
  })

  it("takes 64 KiB of one value", () => {
    const value = "x".repeat(65_000)
    assert.deepStrictEqual(parseResponseHead(head("HTTP/1.1 200 OK", `A: ${value}`), false).headers["a"], [value])
  })

  const framings: ReadonlyArray<readonly [string, ReadonlyArray<string>, boolean, number | string, boolean]> = [
    ["a length", ["HTTP/1.1 200 OK", "Content-Length: 5"], false, 5, true],
    ["zeros before a length", ["HTTP/1.1 200 OK", "Content-Length: 0005"], false, 5, true],
    ["the largest length", ["HTTP/1.1 200 OK", "Content-Length: 9007199254740991"], false, 9007199254740991, true],
    ["chunks", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], false, "chunked", true],
    ["chunks in capitals", ["HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"], false, "chunked", true],
    ["neither: until the end", ["HTTP/1.1 200 OK"], false, "close", false],
    ["the answer to HEAD with a length", ["HTTP/1.1 200 OK", "Content-Length: 5"], true, 0, true],
    ["the answer to HEAD without", ["HTTP/1.1 200 OK"], true, 0, true],
    ["the answer to HEAD with chunks", ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], true, 0, true],
    ["204 with a length", ["HTTP/1.1 204 No Content", "Content-Length: 5"], false, 0, true],
    ["304 with a length", ["HTTP/1.1 304 Not Modified", "Content-Length: 5"], false, 0, true],
    ["an interim answer", ["HTTP/1.1 103 Early Hints", "Link: </a>"], false, 0, true],
    ["Connection: close", ["HTTP/1.1 200 OK", "Content-Length: 5", "Connection: close"], false, 5, false],
    ["close among others", ["HTTP/1.1 200 OK", "Content-Length: 5", "Connection: x, CLOSE"], false, 5, false],
    [
      "close in a second header",
      ["HTTP/1.1 200 OK", "Connection: keep-alive", "Connection: close", "Content-Length: 5"],
      false,
      5,
      false
    ],
    ["HTTP/1.0", ["HTTP/1.0 200 OK", "Content-Length: 5"], false, 5, false],
    ["HTTP/1.0, kept", ["HTTP/1.0 200 OK", "Content-Length: 5", "Connection: keep-alive"], false, 5, true]
  ]
  it.each(framings)("knows the end of a body and of a connection: %s", (_, lines, isBodiless, framing, isKept) => {
    const read = parseResponseHead(head(...lines), isBodiless)
    assert.deepStrictEqual([read.framing, read.isKept], [framing, isKept])
  })

  const ok = "HTTP/1.1 200 OK"
  const wrong: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["no status line", "no status line of HTTP/1.1", [""]],
    ["another protocol", "no status line of HTTP/1.1", ["SSH-2.0-OpenSSH_9.9"]],
    ["HTTP/2", "no status line of HTTP/1.1", ["HTTP/2.0 200 OK"]],
    ["HTTP/1.2", "no status line of HTTP/1.1", ["HTTP/1.2 200 OK"]],
    ["lower case", "no status line of HTTP/1.1", ["http/1.1 200 OK"]],
    ["two blanks", "no status line of HTTP/1.1", ["HTTP/1.1  200 OK"]],
    ["two digits", "no status line of HTTP/1.1", ["HTTP/1.1 20 OK"]],
    ["four digits", "no status line of HTTP/1.1", ["HTTP/1.1 2000 OK"]],
    ["an empty line first", "no status line of HTTP/1.1", ["", ok]],
    ["a bare CR in the reason", "no status line of HTTP/1.1", ["HTTP/1.1 200 O\rK"]],
    ["a bare LF after the status", "no status line of HTTP/1.1", [`${ok}\nContent-Length: 0`]],
    ["a bare LF between headers", "a header line that is none", [ok, "A: b\nContent-Length: 0"]],
    ["a bare CR in a value", "a header line that is none", [ok, "A: b\rc"]],
    ["NUL in a value", "a header line that is none", [ok, "A: b\0c"]],
    ["NUL in a name", "a header line that is none", [ok, "A\0: b"]],
    ["DEL in a value", "a header line that is none", [ok, "A: b\x7f"]],
    ["a folded line", "a header line that is none", [ok, "A: b", " c"]],
    ["a line folded by a tab", "a header line that is none", [ok, "A: b", "\tc"]],
    ["a blank before the colon", "a header line that is none", [ok, "Content-Length : 5"]],
    ["a blank in a name", "a header line that is none", [ok, "A B: c"]],
    ["no name", "a header line that is none", [ok, ": c"]],
    ["no colon", "a header line that is none", [ok, "abc"]],
    ["two lengths", "two lengths", [ok, "Content-Length: 5", "Content-Length: 6"]],
    ["one length twice", "two lengths", [ok, "Content-Length: 5", "Content-Length: 5"]],
    ["lengths in a list", "a length that is none", [ok, "Content-Length: 5, 5"]],
    ["a negative length", "a length that is none", [ok, "Content-Length: -1"]],
    ["a signed length", "a length that is none", [ok, "Content-Length: +5"]],
    ["a hexadecimal length", "a length that is none", [ok, "Content-Length: 0x5"]],
    ["a fractional length", "a length that is none", [ok, "Content-Length: 5.0"]],
    ["an exponent", "a length that is none", [ok, "Content-Length: 1e3"]],
    ["no length in its header", "a length that is none", [ok, "Content-Length:"]],
    ["a length above 2^53 - 1", "a length that is none", [ok, "Content-Length: 9007199254740992"]],
    ["a length of many digits", "a length that is none", [ok, `Content-Length: ${"0".repeat(17)}`]],
    ["a length beside chunks", "a length beside a transfer coding", [
      ok,
      "Content-Length: 5",
      "Transfer-Encoding: chunked"
    ]],
    ["chunks beside a length", "a length beside a transfer coding", [
      ok,
      "Transfer-Encoding: chunked",
      "Content-Length: 0"
    ]],
    ["another coding", "unknown transfer coding", [ok, "Transfer-Encoding: gzip"]],
    ["codings in a list", "unknown transfer coding", [ok, "Transfer-Encoding: gzip, chunked"]],
    ["chunked twice", "unknown transfer coding", [ok, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    ["identity", "unknown transfer coding", [ok, "Transfer-Encoding: identity"]],
    ["no coding in its header", "unknown transfer coding", [ok, "Transfer-Encoding:"]],
    ["a parameter of the coding", "unknown transfer coding", [ok, "Transfer-Encoding: chunked;q=1"]],
    ["chunks of HTTP/1.0", "a transfer coding of HTTP/1.0", ["HTTP/1.0 200 OK", "Transfer-Encoding: chunked"]]
  ]
  it.each(wrong)("refuses what could be read in two ways: %s", (_, words, lines) => {
    assert.strictEqual(refused(head(...lines)), words)
  })

  it("refuses a faulty end of the body even where there is none", () => {
    assert.strictEqual(refused(head(ok, "Content-Length: 5", "Content-Length: 6"), true), "two lengths")
    assert.strictEqual(
      refused(head("HTTP/1.1 204 No Content", "Content-Length: 1", "Transfer-Encoding: chunked")),
      "a length beside a transfer coding"
    )
  })

  it("looks at a value of 60,000 blanks once", () => {
    const blanks = " \t".repeat(30_000)
    assert.deepStrictEqual(parseResponseHead(head(ok, `A:${blanks}b${blanks}c${blanks}`), false).headers["a"], [
      `b${blanks}c`
    ])
  })
})

describe("checkHeadSoFar", () => {
  const whole = "HTTP/1.1 200 OK\r\nA: b c\r\nContent-Length: 5\r\n\r\n"

  it("lets every beginning of a head pass", () => {
    for (let end = 0; end < whole.length - 3; end++) checkHeadSoFar(whole.slice(0, end), 0)
  })

  it("goes on at the line it had come to", () => {
    assert.deepStrictEqual(
      [
        checkHeadSoFar(whole.slice(0, 10), 0),
        checkHeadSoFar(whole.slice(0, 20), 0),
        checkHeadSoFar(whole.slice(0, 30), 17)
      ],
      [0, 17, 25]
    )
  })

  it.each([
    "SSH-2.0",
    "\r\n",
    "HTTP/1.1 2x",
    "HTTP/1.1 200 OK\n",
    "HTTP/1.1 200 OK\r\n ",
    "HTTP/1.1 200 OK\r\nA B",
    "HTTP/1.1 200 OK\r\nA: b\0",
    "HTTP/1.1 200 OK\r\nA: b\rc",
    "HTTP/1.1 200 OK\r\nA: b\nC",
    "HTTP/1.1 200 OK\r\n: b"
  ])("refuses at once what can begin no head: %j", (text) => {
    assert.throws(() => checkHeadSoFar(text, 0), Malformed)
  })
})
