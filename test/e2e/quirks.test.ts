/** Registries as they are in the field: their odd answers, and copies, lists and deletions that work in spite of them. */
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { restore, type World, world } from "../support/copies.ts"
import { type Answer, type Asked, digestOf, json, problem, type Quirk, type Reply } from "../support/quirky.ts"
import { always, both, changed, first, is, judge, type Match, type Row, usual } from "../support/rows.ts"

let here: World
beforeAll(async () => {
  here = await world()
})
afterAll(() => here.stop())
beforeEach(() => restore(here))

const manifestGet = is("GET", /\/manifests\//)
const manifestHead = is("HEAD", /\/manifests\//)
const tagPut = is("PUT", /\/manifests\/v1/)
const uploadPost = is("POST", /\/blobs\/uploads\//)
const uploadPut = is("PUT", /\/blobs\/uploads\//)
const patch = is("PATCH", /\/blobs\/uploads\//)
const hasBody: Match = ({ body }) => body.length > 0
const all = (...matches: ReadonlyArray<Match>): Match => (it) => matches.every((match) => match(it))
const chunks = { target: { blobMax: 100_000, blobChunk: 400_000 } }
const withHeaders =
  (change: (headers: NonNullable<Answer["headers"]>) => Answer["headers"]) =>
  (_: Asked, proper: () => Answer): Answer => {
    const answer = proper()
    return { ...answer, headers: change(answer.headers ?? {}) ?? {} }
  }
/** A token service in front of a registry; `lives` is how many requests one token is good for. */
const bearer = (
  { lives = Infinity, token = (value: string): Answer => json(200, { token: value, expires_in: 300 }), realm }: {
    readonly lives?: number
    readonly token?: (value: string, asked: Asked) => Answer
    readonly realm?: () => string
  },
  quirk: Quirk = () => undefined
): Quirk => {
  let issued = 0
  let used = 0
  return (asked, proper): Reply => {
    if (asked.url.pathname === "/token") {
      used = 0
      return token(`t${++issued}`, asked)
    }
    if (asked.headers.authorization === `Bearer t${issued}` && issued > 0 && ++used <= lives)
      return quirk(asked, proper)
    const where = realm?.() ?? `http://${asked.headers.host}/token`
    return {
      status: 401,
      headers: { "www-authenticate": `Bearer realm="${where}",service="r",scope="repository:app:pull,push"` },
      body: "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}"
    }
  }
}

const rows: ReadonlyArray<Row> = [
  // Uploads
  {
    ids: "quirks 4.3 GAR",
    what: "takes blobs in one PATCH without a range only",
    target: () =>
      both(
        always(all(uploadPut, hasBody), problem(400, "UNSUPPORTED")),
        always((it) => patch(it) && it.headers["content-range"] !== undefined, {
          status: 416,
          body: "ranges are not supported"
        })
      ),
    most: 100
  },
  {
    ids: "quirks 4.3 GAR",
    what: "refuses ranges with 400",
    target: () =>
      always((it) => patch(it) && it.headers["content-range"] !== undefined, problem(400, "BLOB_UPLOAD_INVALID")),
    hosts: () => chunks,
    most: usual + 12
  },
  {
    ids: "quirks 4.2 Artifactory",
    what: "knows no upload in one PUT",
    target: () => always(all(uploadPut, hasBody), problem(404, "BLOB_UNKNOWN")),
    most: 66
  },
  {
    ids: "quirks 4.3 Gitea",
    what: "takes one chunk only",
    target: () =>
      always((it) => patch(it) && /^[1-9]/.test(it.headers["content-range"] ?? ""), {
        status: 400,
        body: "Stream uploads after first write are not allowed"
      }),
    hosts: () => chunks,
    most: usual + 16
  },
  {
    ids: "quirks 4.3 GHCR",
    what: "takes small chunks only",
    target: () =>
      always((it) => patch(it) && it.body.length > 300_000 && it.headers["content-range"] !== undefined, {
        status: 416,
        body: "request body is too large"
      }),
    hosts: () => chunks,
    most: usual + 16
  },
  {
    ids: "quirks 4.5 4.6 ECR",
    what: "answers chunks with 201, and a range that stands still",
    target: () =>
      always(patch, (_, proper) => ({ ...proper(), status: 201, headers: { ...proper().headers, range: "0-399999" } })),
    hosts: () => chunks,
    most: usual + 8
  },
  {
    ids: "quirks 4.4 ECR",
    what: "wants larger chunks",
    target: () =>
      both(
        always(uploadPost, withHeaders((headers) => ({ ...headers, "oci-chunk-min-length": "600000" }))),
        always((it) => patch(it) && it.body.length < 100_000, problem(400, "LayerPartTooSmallException"))
      ),
    hosts: () => chunks,
    most: usual + 6
  },
  {
    ids: "quirks 1.17 Cloudflare",
    what: "stands behind a proxy with a limit on bodies",
    target: () =>
      always((it) => it.body.length > 250_000, { status: 413, body: "<html>413 Request Entity Too Large</html>" }),
    most: usual + 24
  },
  {
    ids: "quirks 1.17",
    what: "stands behind a proxy that resets large bodies",
    target: () => always((it) => it.body.length > 1_200_000, "drop"),
    most: usual + 16
  },
  ...[200, 202, 204].map((status): Row => ({
    ids: "quirks 4.5",
    what: `ends uploads with ${status}`,
    target: () => always(uploadPut, (_, proper) => ({ ...proper(), status, body: "" })),
    most: usual + 8
  })),
  {
    ids: "quirks 4.9 4.13",
    what: "loses sessions and cannot be asked for them",
    target: () =>
      both(
        first(2, patch, problem(404, "BLOB_UPLOAD_UNKNOWN")),
        always((it) => it.target.includes("/uploads/") && ["GET", "DELETE"].includes(it.method), { status: 405 })
      ),
    hosts: () => chunks,
    most: usual + 20
  },
  {
    ids: "quirks 1.4 1.5",
    what: "moves an upload with each chunk, its query a signature",
    target: () => {
      let state = 0
      return always((it) => uploadPost(it) || patch(it) || uploadPut(it), (it, proper) => {
        const given = it.url.searchParams.get("_state")
        if (!uploadPost(it) && given === null) return problem(404, "BLOB_UPLOAD_UNKNOWN")
        const { headers = {}, ...answer } = proper()
        return {
          ...answer,
          headers: { ...headers, location: `${String(headers["location"])}?_state=a%2Fb%3D${++state}` }
        }
      })
    },
    hosts: () => chunks,
    most: usual + 6
  },
  // Manifests
  {
    ids: "quirks 3.1",
    what: "refuses HEAD",
    source: () => always(manifestHead, { status: 405 }),
    target: () => always((it) => it.method === "HEAD", { status: 405 }),
    most: usual + 12
  },
  {
    ids: "quirks 3.1 3.5",
    what: "leaves digest, length and type out of its heads",
    source: () =>
      always((it) => manifestHead(it) || manifestGet(it), withHeaders(() => ({ "content-type": "text/plain" }))),
    most: usual + 6
  },
  {
    ids: "C03 quirks 3.2",
    what: "names another digest in the head of its manifests",
    fails: /manifest digest mismatch, expected sha256:\S+, received sha256:/,
    source: () =>
      always(
        (it) => manifestGet(it) && it.target.includes("sha256"),
        withHeaders((headers) => ({ ...headers, "docker-content-digest": digestOf("other") }))
      ),
    most: usual + 6
  },
  ...[401, 403].map((status): Row => ({
    ids: "quirks 3.7",
    what: `answers ${status} for what is not there`,
    target: () => always((it) => it.method === "HEAD" && it.target.includes("/manifests/sha256"), { status }),
    most: usual + 12
  })),
  ...[[400, "ImageTagAlreadyExistsException"], [409, "CONFLICT"], [412, "PRECONDITION"]].map(([status, code]): Row => ({
    ids: "quirks 3.12",
    what: `lets nobody move a tag (${status})`,
    target: () => always(tagPut, problem(Number(status), String(code))),
    fails: new RegExp(`failed to put manifest .*:v1.*${status}`),
    most: usual + 2
  })),
  {
    ids: "quirks 3.20",
    what: "has a validator that lags behind",
    target: () => first(3, is("PUT", /\/manifests\//), problem(400, "BLOB_UNKNOWN")),
    most: usual + 8
  },
  // Logins
  {
    ids: "quirks 2.1",
    what: "has a token service",
    hasOwnLogin: true,
    source: () => bearer({}),
    target: () => bearer({}),
    most: usual + 8
  },
  {
    ids: "N15 quirks 2.8",
    what: "lets its tokens expire every seven requests, also in the middle of an upload",
    hasOwnLogin: true,
    source: () => bearer({ lives: 7 }),
    target: () => bearer({ lives: 7 }),
    most: 60
  },
  {
    ids: "N16",
    what: "takes none of the tokens it issues",
    hasOwnLogin: true,
    target: () => bearer({ lives: 0 }),
    fails: /unauthorized/,
    most: 80
  },
  {
    ids: "N20 quirks 2.1",
    what: "issues tokens that live for no time, by another name, at another time",
    hasOwnLogin: true,
    source: () =>
      bearer({
        token: (value) => json(200, { access_token: value, expires_in: 0, issued_at: "2001-01-01T00:00:00Z" })
      }),
    target: () =>
      bearer({ token: (value) => json(200, { token: value, expires_in: -5, issued_at: "2091-01-01T00:00:00Z" }) }),
    most: usual + 10
  },
  {
    ids: "N19",
    what: "has a token service in trouble for a while",
    hasOwnLogin: true,
    target: () => bearer({ token: (value, asked) => asked.nth < 2 ? { status: 503 } : json(200, { token: value }) }),
    most: usual + 8
  },
  ...([
    ["garbage", json(200, { no: "token" }), /failed to request auth token .*no token in the answer/],
    [
      "a page",
      { status: 200, headers: { "content-type": "text/html" }, body: "<html>" },
      /failed to request auth token/
    ],
    ["403", { status: 403, body: "{\"details\":\"no way\"}" }, /failed to request auth token .*403.*no way/],
    [
      "a redirect",
      { status: 302, headers: { location: "http://127.0.0.1:1/" } },
      /redirect of a token request not allowed/
    ]
  ] as ReadonlyArray<readonly [string, Answer, RegExp]>).map(([what, answer, fails]): Row => ({
    ids: "N19",
    what: `has a token service that answers with ${what}`,
    hasOwnLogin: true,
    target: () => bearer({ token: () => answer }),
    fails,
    ...(what === "a redirect" ? { reason: "RedirectRefused" } : {}),
    most: 12,
    check: ({ err }) =>
      assert.include(
        err,
        `${here.target.host}/token`.replace(/.*\/token/, what === "a redirect" ? "redirect" : "/token")
      )
  })),
  ...[
    ["elsewhere", () => "http://192.0.2.1/token"],
    ["with user information", () => `http://u:p@${here.target.host}/token`],
    ["by another scheme", () => "ftp://127.0.0.1/token"],
    ["with a fragment", () => `http://${here.target.host}/token#x`],
    ["at another name of its address", () => `http://localhost:${here.target.host.split(":")[1]}/token`],
    ["at a look-alike", () => "http://127.0.0.1.example.org/token"],
    ["that is no address", () => "http://["]
  ].map(([what, realm]): Row => ({
    ids: "N31",
    what: `names a realm ${String(what)}`,
    hasOwnLogin: true,
    target: () => bearer({ realm: typeof realm === "function" ? realm : () => "" }),
    fails: /redirect to a (?:broken )?realm .*not allowed/,
    most: 8
  })),
  {
    ids: "N31",
    what: "names another realm with each answer",
    hasOwnLogin: true,
    target: () => {
      let named = 0
      return bearer({ realm: () => `http://${here.target.host}/token?n=${++named}`, lives: 0 })
    },
    fails: /redirect to another realm or service not allowed/,
    most: 12
  },
  ...[
    ["nothing", {}],
    ["an unknown scheme first", { "www-authenticate": "Negotiate, Basic realm=\"r\"" }],
    ["two headers", { "www-authenticate": ["NTLM", "BASIC realm=r"] }]
  ].map(([what, headers]): Row => ({
    ids: "N32 quirks 2.3 2.12",
    what: `asks for a login with ${String(what)}`,
    hasOwnLogin: true,
    source: () => (it) =>
      it.headers.authorization === undefined ? { status: 401, headers: Object(headers), body: "" } : undefined,
    target: () => () => undefined,
    most: usual
  })),
  // Mirrors
  ...([
    ["missing", () => ({ status: 404 })],
    ["broken", () => ({ status: 500 })],
    ["forbidden", () => ({ status: 403 })],
    ["wrong", (it) => changed(it, () => here.source.answer(it))],
    ["gone in the middle", (it) => ({ ...here.source.answer(it), cut: { after: 100, how: "reset" } })],
    ["a page", () => ({ status: 200, headers: { "content-type": "text/html" }, body: "<html>log in</html>" })]
  ] as ReadonlyArray<readonly [string, (it: Asked) => Answer]>).map(([what, answer]): Row => ({
    ids: "N40",
    what: `has a mirror with content that is ${what}`,
    store: () => answer,
    hosts: () => ({ source: { mirrors: [here.store.host] }, store: { tls: "disabled" } }),
    most: usual + 20,
    check: () => assert.isAbove(here.store.asked.length, 0)
  }))
]

describe("a copy works, or says why not, where a registry", () => {
  it.each(rows.map((row): [string, Row] => [`${row.what} (${row.ids})`, row]))("%s", (_, row) => judge(here, row))
})
