/** What a client of the distribution API says, request by request, with nothing done on its own. */
import { assert } from "@effect/vitest"
import type { Content } from "./contents.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** Error codes of the body. */
  readonly codes: ReadonlyArray<string>
}

export type Ask = (
  method: string,
  path: string,
  body?: Uint8Array<ArrayBuffer> | ReadableStream,
  headers?: Record<string, string>
) => Promise<Answer>

const codesOf = (bytes: Buffer): ReadonlyArray<string> => {
  try {
    const body: { readonly errors?: ReadonlyArray<{ readonly code: string }> } = JSON.parse(bytes.toString())
    return (body.errors ?? []).map(({ code }) => code)
  } catch {
    return []
  }
}

/** Asks one registry; paths may be those of its `Location` headers. */
export const asking = (host: () => string): Ask => async (method, path, body, headers = {}) => {
  const response = await fetch(new URL(path, `http://${host()}`), {
    method,
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body, duplex: "half" })
  } as RequestInit)
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, bytes, codes: codesOf(bytes) }
}

export const locationOf = ({ headers }: Answer): string => {
  const location = headers.get("location")
  assert.isNotNull(location)
  return location ?? ""
}

/** The same location with a digest, whatever its query. */
export const withDigest = (location: string, digest: string): string =>
  `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`

const octets = { "content-type": "application/octet-stream" }

/** Sends one part at the place a session is at. */
export const patch = (ask: Ask, location: string, part: Uint8Array<ArrayBuffer>, from: number): Promise<Answer> =>
  ask("PATCH", location, part, { ...octets, "content-range": `${from}-${from + part.length - 1}` })

/** Ways to push a blob (distribution-spec 1.1, pushing blobs); each gives the last answer. */
export const ways: ReadonlyArray<
  readonly [name: string, push: (ask: Ask, repository: string, content: Content) => Promise<Answer>]
> = [
  ["a single POST", async (ask, repository, { bytes, descriptor: { digest } }) => {
    const post = await ask("POST", withDigest(`/v2/${repository}/blobs/uploads/`, digest), bytes, octets)
    return post.status === 202 ? ask("PUT", withDigest(locationOf(post), digest), bytes, octets) : post
  }],
  [
    "POST and PUT",
    async (ask, repository, { bytes, descriptor: { digest } }) =>
      ask("PUT", withDigest(await opened(ask, repository, digest), digest), bytes, octets)
  ],
  ["one chunk", async (ask, repository, { bytes, descriptor: { digest } }) => {
    const location = await opened(ask, repository, digest)
    const part = await patch(ask, location, bytes, 0)
    assert.strictEqual(part.status, 202)
    assert.strictEqual(part.headers.get("range"), `0-${bytes.length - 1}`)
    return ask("PUT", withDigest(locationOf(part), digest))
  }],
  ["a stream of unknown length", async (ask, repository, { bytes, descriptor: { digest } }) => {
    const location = await opened(ask, repository, digest)
    const part = await ask("PATCH", location, new Blob([bytes]).stream(), octets)
    assert.strictEqual(part.status, 202)
    return ask("PUT", withDigest(locationOf(part), digest))
  }],
  ["many chunks", async (ask, repository, content) => {
    const place = await pushedInParts(ask, repository, content, 4, 4)
    return ask("PUT", withDigest(place, content.descriptor.digest))
  }],
  ["many chunks, the last in the PUT", async (ask, repository, content) => {
    const { bytes, descriptor: { digest } } = content
    const place = await pushedInParts(ask, repository, content, 4, 3)
    const from = Math.ceil(bytes.length / 4) * 3
    const range = { "content-range": `${from}-${bytes.length - 1}` }
    return ask("PUT", withDigest(place, digest), bytes.subarray(from), { ...octets, ...range })
  }]
]

/** Opens a session; of an algorithm other than sha256 it has to be told (1.1+dev). */
export const opened = async (ask: Ask, repository: string, digest = "sha256:"): Promise<string> => {
  const [algorithm] = digest.split(":")
  const post = await ask(
    "POST",
    `/v2/${repository}/blobs/uploads/${algorithm === "sha256" ? "" : `?digest-algorithm=${algorithm}`}`
  )
  assert.strictEqual(post.status, 202)
  return locationOf(post)
}

const pushedInParts = async (ask: Ask, repository: string, content: Content, parts: number, sent: number) => {
  const { bytes, descriptor: { digest } } = content
  const size = Math.ceil(bytes.length / parts)
  let location = await opened(ask, repository, digest)
  for (let at = 0; at < sent * size && at < bytes.length; at += size) {
    const part = bytes.subarray(at, Math.min(at + size, bytes.length))
    const answer = await patch(ask, location, part, at)
    assert.strictEqual(answer.status, 202)
    assert.strictEqual(answer.headers.get("range"), `0-${at + part.length - 1}`)
    location = locationOf(answer)
  }
  return location
}
