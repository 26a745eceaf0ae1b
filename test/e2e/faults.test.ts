/** Faults of the network between the tool and its registries: what is told, what is left behind, what goes where. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { restore, type World, world } from "../support/copies.ts"
import { type Answer, type Asked, problem } from "../support/quirky.ts"
import {
  always,
  both,
  changed,
  cutAt,
  first,
  is,
  judge,
  type Match,
  type Row,
  short,
  unheard,
  usual
} from "../support/rows.ts"

let here: World

const blobGet: Match = (it) => is("GET", /\/blobs\//)(it) && it.target.includes(here.image.large)
const manifestGet = is("GET", /\/manifests\//)
const tagPut = is("PUT", /\/manifests\/v1/)
const childPut = is("PUT", /\/manifests\/sha256/)
const uploadPost = is("POST", /\/blobs\/uploads\//)
const uploadPut = is("PUT", /\/blobs\/uploads\//)
const patch = is("PATCH", /\/blobs\/uploads\//)
const isLarge = (it: Asked) => it.target.includes(encodeURIComponent(here.image.large))

const unauthorized: Answer = {
  status: 401,
  headers: { "www-authenticate": "Basic realm=\"r\"" },
  body: "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}"
}
const elsewhere = (it: Asked) => `http://${here.store.host}${it.url.pathname}?X-Amz-Signature=s3cr3t&a=b%2Fc`

const inSeconds = (count: number) => new Date(Date.now() + count * 1000).toUTCString()
/** A write that is told to be at another place. */
const moved = (location: string) => (_: Asked, proper: () => Answer): Answer => {
  const answer = proper()
  return { ...answer, headers: { ...answer.headers, location } }
}
/** A session's word on how far it is. */
const ranged = (status: number, range: string) => (_: Asked, proper: () => Answer): Answer => {
  const answer = proper()
  return { status, headers: { ...answer.headers, range } }
}
const chunks = () => ({ target: { blobMax: 100_000, blobChunk: 400_000 } })
const sessionGet = is("GET", /\/blobs\/uploads\//)

const rows: ReadonlyArray<Row> = [
  { ids: "-", what: "no fault at all", most: usual },
  // Rate limits
  {
    ids: "N12",
    what: "429 with Retry-After on a manifest",
    source: () => first(2, manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "7" })),
    most: usual + 2
  },
  {
    ids: "N12",
    what: "503 with Retry-After on a blob, an upload, and the tag",
    source: () => first(1, blobGet, problem(503, "UNAVAILABLE", { "retry-after": "3" })),
    target: () =>
      both(
        first(1, uploadPost, problem(503, "UNAVAILABLE", { "retry-after": "2" })),
        first(1, tagPut, problem(503, "UNAVAILABLE", { "retry-after": "2" }))
      ),
    most: usual + 8
  },
  {
    ids: "N12",
    what: "429 without end",
    source: () => always(manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "1" })),
    fails: /rate limit exceeded \[http 429\].*TOOMANYREQUESTS/,
    most: 10
  },
  {
    ids: "N13",
    what: "Retry-After as a date, garbage and negative",
    source: () =>
      both(
        first(1, manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" })),
        first(1, manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "soon" })),
        first(1, manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "-5" }))
      ),
    most: usual + 3
  },
  {
    ids: "N14",
    what: "Retry-After of an hour",
    source: () => always(manifestGet, problem(429, "TOOMANYREQUESTS", { "retry-after": "3600" })),
    fails: /rate limit exceeded \[http 429\].*\(try again in 3600 s\)/,
    most: 6
  },
  {
    ids: "N14",
    what: "Retry-After of an hour in the middle of an upload",
    target: () =>
      always((it) => uploadPut(it) && isLarge(it), problem(429, "TOOMANYREQUESTS", { "retry-after": "3600" })),
    fails: /failed to send blob.*rate limit exceeded \[http 429\].*try again in 3600 s/,
    most: usual
  },
  {
    ids: "N13",
    what: "Retry-After as a date to come",
    source: () =>
      both(
        first(1, manifestGet, () => problem(429, "TOOMANYREQUESTS", { "retry-after": inSeconds(50) })),
        first(1, blobGet, () => problem(503, "UNAVAILABLE", { "retry-after": inSeconds(50) }))
      ),
    most: usual + 3
  },
  {
    ids: "N14",
    what: "Retry-After as a date two hours ahead",
    source: () => always(manifestGet, () => problem(503, "UNAVAILABLE", { "retry-after": inSeconds(7_200) })),
    fails: /unexpected http status code.*\(try again in [67]\d{3} s\)/,
    most: 6
  },
  // Connections that break
  { ids: "N05", what: "a reset before any byte", source: () => first(2, manifestGet, "drop"), most: usual + 2 },
  {
    ids: "N05",
    what: "resets without end",
    source: () => always(manifestGet, "drop"),
    fails: /127\.0\.0\.1:\d+.*(?:connection reset|EOF)/,
    most: 10
  },
  ...(["reset", "end"] as const).flatMap((how): ReadonlyArray<Row> => [
    { ids: "N06", what: `a blob cut at byte 0 (${how})`, source: () => first(1, blobGet, cutAt(() => 0, how)) },
    { ids: "N06", what: `a blob cut at byte 1 (${how})`, source: () => first(1, blobGet, cutAt(() => 1, how)) },
    {
      ids: "N06",
      what: `a blob cut in the middle (${how})`,
      source: () => first(3, blobGet, cutAt((it) => it >> 1, how))
    },
    {
      ids: "N06",
      what: `a blob cut before its last byte (${how})`,
      source: () => first(1, blobGet, cutAt((it) => it - 1, how))
    },
    { ids: "N06", what: `a manifest cut (${how})`, source: () => first(2, manifestGet, cutAt((it) => it - 1, how)) }
  ]).map((row) => ({ ...row, most: usual + 14 })),
  {
    ids: "N06",
    what: "a blob that is always cut at byte 1",
    source: () => always(blobGet, cutAt(() => 1, "reset")),
    fails: /failed to (?:get|copy) blob.*connection/,
    most: 60
  },
  {
    ids: "N07 C02",
    what: "a blob one byte short, ended cleanly",
    source: () => first(1, blobGet, short),
    most: usual + 6
  },
  {
    ids: "N07",
    what: "a blob always one byte short",
    source: () => always(blobGet, short),
    fails: /blob.*(?:short read|unexpected content-length)/,
    most: 60
  },
  { ids: "N08", what: "no head of an answer", source: () => first(1, manifestGet, "silence"), most: usual + 2 },
  {
    ids: "N09",
    what: "a blob that stalls",
    source: () => first(1, blobGet, cutAt(() => 500, "silence")),
    most: usual + 6
  },
  {
    ids: "N06",
    what: "an upload reset in the middle",
    cutBody: (method, path, nth) =>
      method === "PUT" && path.includes(encodeURIComponent(here.image.large)) && nth === 0 ? 200_000 : undefined,
    most: usual + 12
  },
  {
    ids: "N10",
    what: "writes whose answers are lost",
    target: () =>
      both(
        first(1, (it) => uploadPut(it) && isLarge(it), unheard),
        first(1, childPut, unheard),
        first(1, tagPut, unheard)
      ),
    most: usual + 8
  },
  {
    ids: "N10",
    what: "answers to the tag that are always lost",
    target: () => always(tagPut, unheard),
    fails: /failed to put manifest .*:v1.*127\.0\.0\.1:\d+/,
    reason: "ConnectionLost",
    isDone: true,
    most: usual + 6
  },
  {
    ids: "N08",
    what: "no head of an answer, always",
    source: () => always(manifestGet, "silence"),
    fails: /no response headers within 0\.4 s/,
    most: 10
  },
  {
    ids: "N09",
    what: "a blob that always stalls",
    source: () => always(blobGet, cutAt(() => 500, "silence")),
    fails: /stalled: less than 10 KiB received within 0\.3 s/,
    most: 60
  },
  ...[408, 500, 502, 503, 504, 520, 527].map((status): Row => ({
    ids: "N11",
    what: `${status} twice`,
    source: () => first(2, manifestGet, { status, body: "<html>bad</html>" }),
    most: usual + 2
  })),
  {
    ids: "N11",
    what: "500, 502, 504 and 520 on the way",
    source: () =>
      both(first(1, manifestGet, { status: 502, body: "<html>bad</html>" }), first(1, blobGet, { status: 520 })),
    target: () =>
      both(
        first(1, uploadPost, { status: 500 }),
        first(1, (it) => uploadPut(it) && isLarge(it), { status: 504 }),
        first(2, tagPut, { status: 502 })
      ),
    most: usual + 16
  },
  {
    ids: "N11",
    what: "502 with a page of control characters, without end",
    target: () => always(tagPut, { status: 502, body: "\u001b[2J<html>\ntime=now level=ERROR msg=forged\u202e" }),
    fails: /failed to put manifest .*:v1.*unexpected http status code: .*502.*<html>/,
    most: usual + 6
  },
  // Logins
  {
    ids: "N15",
    what: "a login that is asked for again in the middle of an upload",
    target: () => first(1, (it) => uploadPut(it) && isLarge(it), unauthorized),
    fails: /unauthorized/,
    most: usual
  },
  {
    ids: "N16",
    what: "401 again and again",
    source: () => always(manifestGet, unauthorized),
    fails: /unauthorized \[http 401\]/,
    most: 6
  },
  {
    ids: "N17",
    what: "403 on the tag",
    target: () => always(tagPut, problem(403, "DENIED")),
    fails: /failed to put manifest .*unauthorized \[http 403\].*DENIED/,
    most: usual
  },
  {
    ids: "N17",
    what: "403 on uploads",
    target: () => always(uploadPost, problem(403, "DENIED")),
    fails: /unauthorized \[http 403\].*DENIED/,
    most: usual
  },
  {
    ids: "N18 C13",
    what: "a blob that the source lacks",
    source: () => always((it) => it.target.includes(here.image.large), problem(404, "BLOB_UNKNOWN")),
    fails: /not found: the source lacks sha256:/,
    most: usual + 4,
    check: ({ err }) => assert.include(err, here.image.large)
  },
  {
    ids: "C13",
    what: "a child manifest and a config that the source lacks, all named",
    source: () => always((it) => it.target.includes(here.image.images[1] ?? "-"), problem(404, "MANIFEST_UNKNOWN")),
    fails: /not found: the source lacks sha256:/,
    most: usual,
    check: ({ err }) => assert.include(err, here.image.images[1] ?? "-")
  },
  // Redirects
  {
    ids: "N25 quirks 1.1",
    what: "blobs at another host with signed addresses",
    source: () => always(is("GET", /\/blobs\//), (it) => ({ status: 307, headers: { location: elsewhere(it) } })),
    store: () => (it) =>
      it.headers.authorization === undefined
        ? here.source.answer({ ...it, method: "GET" })
        : { status: 400, body: "Only one auth mechanism allowed" },
    hosts: () => ({ store: { tls: "disabled" } }),
    most: usual,
    check: () => assert.isAbove(here.store.asked.length, 3)
  },
  {
    ids: "N25 quirks 1.3",
    what: "a signed address that expires and a store that breaks off",
    source: () => always(is("GET", /\/blobs\//), (it) => ({ status: 302, headers: { location: elsewhere(it) } })),
    store: () =>
      both(
        first(1, blobGet, { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" }),
        first(2, blobGet, (it) => cutAt((size) => size >> 2, "reset")(it, () => here.source.answer(it))),
        (it) => here.source.answer(it)
      ),
    hosts: () => ({ store: { tls: "disabled" } }),
    most: usual + 8
  },
  {
    ids: "N21",
    what: "redirects that go round",
    source: () => always(blobGet, (it) => ({ status: 302, headers: { location: it.target } })),
    fails: /stopped after 10 redirects/,
    most: usual + 24
  },
  ...(["", "http://", "file:///etc/passwd", "data:text/plain,x", "http://u:p@127.0.0.1/"] as const).map((
    location
  ): Row => ({
    ids: "N22",
    what: `a redirect to ${JSON.stringify(location)}`,
    source: () => always(blobGet, { status: 307, headers: { location } }),
    fails: /redirect .*not allowed/,
    most: usual + 2
  })),
  {
    ids: "N26",
    what: "a manifest PUT redirected to another host",
    target: () => always(tagPut, (it) => ({ status: 307, headers: { location: elsewhere(it) } })),
    hosts: () => ({ store: { tls: "disabled" } }),
    fails: /redirect .*not allowed/,
    most: usual,
    check: () => assert.deepStrictEqual(here.store.lines(), [])
  },
  {
    ids: "N27",
    what: "upload locations on another host, signed",
    target: () =>
      always(uploadPost, (_, proper) => {
        const { headers = {}, ...answer } = proper()
        const location = `http://${here.store.host}${String(headers["location"])}?sig=a%2Fb%3D`
        return { ...answer, headers: { ...headers, location } }
      }),
    store: () => (it) => it.target.includes("?sig=a%2Fb%3D") ? here.target.answer(it) : { status: 403 },
    hosts: () => ({ store: { tls: "disabled" } }),
    most: usual
  },
  {
    ids: "N28",
    what: "an upload without a location",
    target: () => always(uploadPost, { status: 202 }),
    fails: /location header missing/,
    most: usual
  },
  ...([
    ["an address that is none", "http://[", "N28", /location header missing: not an address/],
    ["a file", "file:///etc/passwd", "N22", /redirect to file: not allowed/],
    ["data", "data:text/plain,x", "N22", /redirect to data: not allowed/],
    ["an address with user information", "http://ada:l0velace@127.0.0.1:1/x", "N22", /redirect with user information/]
  ] as const).map(([what, location, ids, fails]): Row => ({
    ids,
    what: `an upload at ${what}`,
    target: () => always(uploadPost, moved(location)),
    fails,
    most: usual
  })),
  {
    ids: "N27",
    what: "an upload location on another host that says 401",
    target: () => always(uploadPost, (it, proper) => moved(elsewhere(it))(it, proper)),
    store: () => () => unauthorized,
    hosts: () => ({ store: { tls: "disabled", user: "bob", pass: "other-login" } }),
    fails: /failed to send blob.*unauthorized \[http 401\]/,
    most: usual,
    check: () => assert.deepStrictEqual([...new Set(here.store.asked.map(({ method }) => method))], ["PUT"])
  },
  ...[307, 308].map((status): Row => ({
    ids: "N26",
    what: `a POST for an upload sent to another host with ${status}`,
    target: () => always(uploadPost, (it) => ({ status, headers: { location: elsewhere(it) } })),
    hosts: () => ({ store: { tls: "disabled" } }),
    fails: /redirect of a request with a body to another server not allowed/,
    most: usual,
    check: () => assert.deepStrictEqual(here.store.lines(), [])
  })),
  {
    ids: "N29",
    what: "an upload session that is lost",
    target: () => first(1, (it) => uploadPut(it) && isLarge(it), problem(404, "BLOB_UPLOAD_UNKNOWN")),
    most: usual + 12
  },
  {
    ids: "N29",
    what: "upload sessions that are always lost",
    target: () => always((it) => uploadPut(it) || patch(it), problem(404, "BLOB_UPLOAD_UNKNOWN")),
    fails: /upload session lost/,
    most: 120
  },
  {
    ids: "N30",
    what: "416 with an offset that goes back",
    target: () => first(1, patch, (_, proper) => ({ ...proper(), status: 416, headers: { range: "0-99" } })),
    hosts: () => ({ target: { blobMax: 100_000, blobChunk: 200_000 } }),
    most: usual + 24
  },
  {
    ids: "N29",
    what: "a session that is lost at a chunk, then when it is asked for, then when it is closed",
    target: () =>
      both(
        first(1, (it) => patch(it) && it.body.length > 300_000, problem(404, "BLOB_UPLOAD_UNKNOWN")),
        first(1, (it) => patch(it) && it.body.length > 300_000, "drop"),
        first(1, sessionGet, problem(404, "BLOB_UPLOAD_UNKNOWN")),
        first(1, (it) => uploadPut(it) && isLarge(it), problem(404, "BLOB_UPLOAD_UNKNOWN"))
      ),
    hosts: chunks,
    most: usual + 24
  },
  {
    ids: "N30",
    what: "416 without an offset, which is asked for",
    target: () =>
      first(1, (it) => patch(it) && it.headers["content-range"]?.startsWith("0-") === false, { status: 416 }),
    hosts: chunks,
    most: usual + 16,
    check: () => assert.isAbove(here.target.asked.filter(sessionGet).length, 0)
  },
  {
    ids: "N30",
    what: "an offset ahead of what was sent, once",
    target: () =>
      both(
        first(1, patch, ranged(202, "0-99999999")),
        first(1, sessionGet, ranged(204, "0-99999999"))
      ),
    hosts: chunks,
    most: usual + 16
  },
  {
    ids: "N30",
    what: "an offset ahead of what was sent, always",
    target: () => always((it) => patch(it) || sessionGet(it), ranged(416, "0-99999999")),
    hosts: chunks,
    fails: /upload session lost: the session cannot be asked|upload session lost: the registry has more than was sent/,
    most: usual + 40
  },
  {
    ids: "N30",
    what: "an offset that stands still",
    target: () =>
      always(
        (it) => patch(it) || sessionGet(it),
        (it) => ({ status: sessionGet(it) ? 204 : 416, headers: { location: it.target, range: "0-99" } })
      ),
    hosts: chunks,
    fails: /upload session lost: the upload does not move on/,
    most: 120
  },
  {
    ids: "N33",
    what: "another digest as the answer to a manifest",
    target: () =>
      always(tagPut, (_, proper) => {
        proper()
        return { status: 201, headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }
      }),
    fails: /failed to put manifest, unexpected digest returned/,
    isDone: true,
    most: usual
  },
  {
    ids: "N34 quirks 3.20",
    what: "a registry that knows its blobs only after a while",
    target: () => first(2, childPut, problem(404, "MANIFEST_BLOB_UNKNOWN")),
    most: usual + 4
  },
  {
    ids: "N34 quirks 4.11",
    what: "a HEAD that claims blobs which are not there",
    target: () =>
      both(
        always(is("HEAD", /\/blobs\//), { status: 200, headers: { "content-length": "1" } }),
        (it) => {
          if (!childPut(it)) return undefined
          const { config, layers } = JSON.parse(it.body.toString())
          const { blobs } = here.target.repository("app")
          const isThere = [config, ...layers].every(({ digest }: { digest: string }) => blobs.has(digest))
          return isThere ? undefined : problem(400, "MANIFEST_BLOB_UNKNOWN")
        }
      ),
    most: usual + 24
  },
  {
    ids: "N35",
    what: "a broken head of an answer, once",
    source: () =>
      first(1, manifestGet, {
        status: 200,
        raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
      }),
    most: usual + 2
  },
  ...[
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    [
      "a length and chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"],
    ["status 999", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"],
    ["a bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"],
    ["NUL in a header", "HTTP/1.1 200 OK\r\nX-A: \u0000\r\nContent-Length: 2\r\n\r\n{}"],
    ["a huge header", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(100_000)}\r\nContent-Length: 2\r\n\r\n{}`]
  ].map(([what = "", raw = ""]): Row => ({
    ids: "N35",
    what: `${what}, always`,
    source: () => always(manifestGet, { status: 200, raw }),
    fails: /failed|error/,
    most: 14
  })),
  ...[
    ["status 999", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\n"]
  ].map(([what = "", raw = ""]): Row => ({
    ids: "N35",
    what: `${what} for the tag, always`,
    target: () => always(tagPut, { status: 201, raw }),
    fails: /failed to put manifest .*:v1.*malformed HTTP response/,
    most: usual + 6
  })),
  {
    ids: "N36",
    what: "an encoded manifest, once",
    source: () =>
      first(
        1,
        manifestGet,
        (_, proper) => ({ ...proper(), headers: { ...proper().headers, "content-encoding": "gzip" } })
      ),
    most: usual + 2
  },
  {
    ids: "N36",
    what: "encoded blobs, always",
    source: () =>
      always(
        blobGet,
        (_, proper) => ({ ...proper(), headers: { ...proper().headers, "content-encoding": "gzip, gzip" } })
      ),
    fails: /content encoding "gzip, gzip"/,
    most: usual + 10
  },
  {
    ids: "N41",
    what: "warnings on every answer, forged",
    source: () => (_, proper) => {
      const answer = proper()
      const warning = "299 - \"\u009b2Jtake care\""
      return { ...answer, headers: { ...answer.headers, warning } }
    },
    most: usual,
    check: ({ err }) => assert.strictEqual(err.split("take care").length - 1, 1, err)
  },
  {
    ids: "N42 C04",
    what: "a login page with status 200",
    source: () =>
      always(manifestGet, { status: 200, headers: { "content-type": "text/html" }, body: "<html>log in</html>" }),
    fails: /failed to get manifest .*: the answer is a web page \(text\/html\), not a manifest/,
    most: 6
  },
  // Content
  { ids: "C01", what: "wrong bytes of a blob, once", source: () => first(1, blobGet, changed), most: usual + 10 },
  {
    ids: "C01",
    what: "wrong bytes of a blob, always",
    source: () => always(blobGet, changed),
    fails: /digest mismatch/,
    most: usual + 20
  },
  {
    ids: "C01",
    what: "wrong bytes of a small blob, always",
    source: () => always((it) => is("GET", /\/blobs\//)(it) && it.target.includes(here.image.small), changed),
    fails: /digest mismatch/,
    most: usual + 20
  },
  {
    ids: "C03",
    what: "wrong bytes of a manifest",
    source: () => always((it) => manifestGet(it) && it.target.includes(here.image.images[0] ?? "-"), changed),
    fails: /digest mismatch/,
    most: usual + 10
  }
]

/** Whoever speaks HTTP, the rows hold. */
describe.each(["own", "node"])("over the transport `%s`, a copy that meets", (transport) => {
  beforeAll(async () => {
    here = await world(transport)
  })
  afterAll(() => here.stop())
  beforeEach(() => restore(here))

  it.each(rows.map((row): [string, Row] => [`${row.what} (${row.ids})`, row]))("%s", (_, row) => judge(here, row))
})
