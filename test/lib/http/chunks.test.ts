import { assert, describe, it } from "@effect/vitest"
import { Chunks } from "../../../src/lib/http/chunks.ts"
import { Malformed } from "../../../src/lib/http/responseHead.ts"

interface Read {
  readonly content: string
  readonly isDone: boolean
  /** Bytes after the body. */
  readonly rest: number
}

/** What is read of a body that comes in these pieces. */
const read = (pieces: ReadonlyArray<Buffer>): Read => {
  const chunks = new Chunks()
  let [content, rest] = ["", 0]
  for (const piece of pieces) {
    let at = 0
    while (at < piece.length && !chunks.isDone) {
      at = chunks.next(piece, at, piece.length)
      content += piece.toString("latin1", chunks.from, chunks.to)
    }
    rest += piece.length - at
  }
  return { content, isDone: chunks.isDone, rest }
}

const whole = (text: string): Read => read([Buffer.from(text, "latin1")])

const refused = (text: string): string => {
  try {
    return `read as ${JSON.stringify(whole(text))}`
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}

describe("a chunked body", () => {
  const bodies: ReadonlyArray<readonly [string, string, string]> = [
    ["of nothing", "0\r\n\r\n", ""],
    ["of one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["of several, one holding line ends", "2\r\n\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "\r\nabc"],
    [
      "with sizes in both cases and zeros",
      "00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n",
      "01234567890123456789"
    ],
    ["with extensions", "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", "hello"],
    ["with trailers", "5\r\nhello\r\n0\r\nA: b\r\nX-C:\t d \r\nE:\r\n\r\n", "hello"],
    ["with bytes above 127", "2\r\n\xff\x00\r\n0\r\nA: \xfc\r\n\r\n", "\xff\x00"]
  ]

  it.each(bodies)("is read: %s", (_, text, content) => {
    assert.deepStrictEqual(whole(text), { content, isDone: true, rest: 0 })
  })

  it.each(bodies)("is read alike however it comes: %s", (_, text, content) => {
    const bytes = Buffer.from(text, "latin1")
    for (let one = 0; one <= bytes.length; one++) {
      for (let two = one; two <= bytes.length; two++) {
        const pieces = [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)]
        assert.deepStrictEqual(read(pieces), { content, isDone: true, rest: 0 })
      }
    }
    assert.deepStrictEqual(read([...bytes].map((byte) => Buffer.of(byte))), { content, isDone: true, rest: 0 })
  })

  it("ends at its end, whatever follows", () => {
    assert.deepStrictEqual(whole("2\r\nab\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), {
      content: "ab",
      isDone: true,
      rest: 19
    })
  })

  it("is open before its end", () => {
    for (const text of ["", "5", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "0\r\nA: b\r\n", "0\r\n\r"])
      assert.isFalse(whole(text).isDone)
  })

  it("may have a chunk of 2^52 - 1 bytes", () => {
    assert.deepStrictEqual(whole("fffffffffffff\r\nabc"), { content: "abc", isDone: false, rest: 0 })
  })

  const wrong: ReadonlyArray<readonly [string, string]> = [
    ["\r\n", "a chunk size that is none"],
    ["xyz\r\n", "a chunk size that is none"],
    ["-1\r\n", "a chunk size that is none"],
    ["+5\r\nhello", "a chunk size that is none"],
    ["0x5\r\nhello", "a chunk size that is none"],
    [" 5\r\nhello", "a chunk size that is none"],
    ["5 \r\nhello", "a chunk size that is none"],
    ["5\nhello", "a chunk size that is none"],
    ["5\r5\r\nhello", "a chunk size that is none"],
    [";a\r\n", "a chunk size that is none"],
    ["20000000000000\r\n", "a chunk size that is none"],
    ["00000000000005\r\nhello", "a chunk size that is none"],
    ["5;a\nhello", "a chunk extension that is none"],
    ["5;a\0\r\nhello", "a chunk extension that is none"],
    ["5;a\x7f\r\nhello", "a chunk extension that is none"],
    [`5;${"a".repeat(16_385)}\r\nhello`, "chunk extensions without end"],
    ["5\r\nhello0\r\n\r\n", "a chunk longer than its size"],
    ["5\r\nhello\n0\r\n\r\n", "a chunk longer than its size"],
    ["5\r\nhello\r0\r\n\r\n", "a chunk longer than its size"],
    ["4\r\nhello\r\n", "a chunk longer than its size"],
    ["0\r\nabc\r\n\r\n", "a trailer that is none"],
    ["0\r\n: b\r\n\r\n", "a trailer that is none"],
    ["0\r\nA : b\r\n\r\n", "a trailer that is none"],
    ["0\r\nA: b\r\n c\r\n\r\n", "a trailer that is none"],
    ["0\r\nA: b\n\r\n", "a trailer that is none"],
    ["0\r\nA: b\rc\r\n\r\n", "a trailer that is none"],
    ["0\r\nA: b\0\r\n\r\n", "a trailer that is none"],
    ["0\r\n\n", "a trailer that is none"],
    ["0\r\n\rx", "a trailer that is none"],
    ["0\r\nGET / HTTP/1.1\r\n\r\n", "a trailer that is none"],
    [`0\r\nA: ${"b".repeat(65_537)}\r\n\r\n`, "trailers without end"],
    [`0\r\n${"A: b\r\n".repeat(11_000)}\r\n`, "trailers without end"]
  ]
  it.each(wrong.map(([text, words]) => [text.slice(0, 40), text, words]))("is refused: %j", (_, text, words) => {
    assert.strictEqual(refused(text), words)
  })

  it("has extensions up to 16,384 characters in each size line", () => {
    const extension = "a".repeat(16_384)
    assert.strictEqual(whole(`1;${extension}\r\na\r\n1;${"b".repeat(16_384)}\r\nb\r\n0\r\n\r\n`).content, "ab")
  })
})
