/**
 * Faults of networks and registries, drawn for each request from a seed: by its method, its path, its body and how often
 * it came before, whatever the order in which requests arrive. The layer stands before a registry in memory or a server.
 */
import { createHash } from "node:crypto"
import { request } from "node:http"
import { type Answer, type Asked, problem, type Reply } from "../support/quirky.ts"
import { type Random, randomOf } from "./campaign.ts"

/** What becomes of one request. */
export interface Fault {
  readonly kind: string
  /** What the server hears in place of the request; nothing at all without. */
  readonly heard?: (asked: Asked) => Asked
  /** What is answered; `proper` is what the server said, if it heard of it. */
  readonly reply: (proper: Answer, asked: Asked) => Reply
}

/** Where faults lead to. */
export interface Elsewhere {
  /** A host with no entry in the configuration. */
  readonly foreign: string
  /** Takes a token back, or a login. */
  readonly revoke: (authorization: string) => void
}

/** The query of a signed address, which must not be shown. */
export const signature = "s1gn4ture"

interface Kind {
  readonly kind: string
  readonly weight: number
  readonly suits?: (asked: Asked) => boolean
  readonly fault: (random: Random, elsewhere: Elsewhere) => Omit<Fault, "kind">
}

const same = (asked: Asked): Asked => asked
const heard = (reply: Fault["reply"]): Omit<Fault, "kind"> => ({ heard: same, reply })
const unheard = (answer: Reply): Omit<Fault, "kind"> => ({ reply: () => answer })

const isRead = ({ method }: Asked) => method === "GET" || method === "HEAD"
const isWrite = (asked: Asked) => !isRead(asked)
const isBlob = ({ url }: Asked) => /\/blobs\/[a-z0-9]+:/.test(url.pathname)
const isManifest = ({ url }: Asked) => url.pathname.includes("/manifests/")
const isUpload = ({ url }: Asked) => url.pathname.includes("/blobs/uploads/")
const isReferrers = ({ url }: Asked) => url.pathname.includes("/referrers/")
/** A refusal of the list of referrers says that there is none, as does a page (registry-quirks 5.2). */
const mayBeRefused = (asked: Asked) => !isReferrers(asked)
const isSession = (asked: Asked) => isUpload(asked) && asked.method !== "POST"
const isFetched = (asked: Asked) => asked.method === "GET" && (isBlob(asked) || isManifest(asked))

const sizeOf = ({ body = "" }: Answer) => Buffer.from(body).length
const withHeaders = (answer: Answer, headers: Answer["headers"]): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})
const locationOf = ({ headers }: Answer) => {
  const location = headers?.["location"]
  return typeof location === "string" ? location : undefined
}

/** All forms of `Retry-After`: seconds, dates to come and past, far too long, and nonsense. */
const waits: ReadonlyArray<() => string> = [
  () => "1",
  () => "0",
  () => "2",
  () => new Date(Date.now() + 2_000).toUTCString(),
  () => "Wed, 21 Oct 2015 07:28:00 GMT",
  () => "100000",
  () => "-5",
  () => "soon"
]

const cut = (how: "reset" | "end" | "silence"): Kind["fault"] => (random) => {
  const part = random.pick([0, 0.001, 0.5, 0.999, random.next()])
  return heard((proper) => {
    const size = sizeOf(proper)
    return size === 0 ? proper : { ...proper, cut: { after: Math.floor(part * size), how } }
  })
}

const kinds: ReadonlyArray<Kind> = [
  { kind: "reset before the answer", weight: 3, fault: () => unheard("drop") },
  { kind: "reset after it was done", weight: 4, fault: () => heard(() => "drop") },
  { kind: "reset in the body", weight: 3, suits: (it) => it.method === "GET", fault: cut("reset") },
  { kind: "end in the body", weight: 2, suits: (it) => it.method === "GET", fault: cut("end") },
  { kind: "stall in the body", weight: 0.4, suits: (it) => it.method === "GET", fault: cut("silence") },
  { kind: "silence", weight: 0.3, fault: () => unheard("silence") },
  { kind: "silence after it was done", weight: 0.2, fault: () => heard(() => "silence") },
  {
    kind: "slow",
    weight: 2,
    fault: (random) => {
      const delay = 1 + random.below(15)
      return heard((proper) => ({ ...proper, delay }))
    }
  },
  {
    kind: "shorter than announced",
    weight: 2,
    suits: (it) => it.method === "GET",
    fault: () =>
      heard((proper) => {
        const body = Buffer.from(proper.body ?? "").subarray(0, -1)
        return { ...withHeaders(proper, { "content-length": String(body.length) }), body }
      })
  },
  {
    kind: "longer than it is",
    weight: 1,
    suits: isFetched,
    fault: () =>
      heard((proper) => {
        const body = Buffer.concat([Buffer.from(proper.body ?? ""), Buffer.from(" ")])
        return { ...withHeaders(proper, { "content-length": String(body.length) }), body }
      })
  },
  {
    kind: "other bytes",
    weight: 3,
    suits: isFetched,
    fault: (random) => {
      const place = random.next()
      return heard((proper) => {
        const body = Buffer.from(proper.body ?? "")
        const at = Math.floor(place * body.length)
        if (body.length > 0) body[at] = 255 - (body[at] ?? 0)
        return { ...proper, body }
      })
    }
  },
  {
    kind: "another digest",
    weight: 1,
    suits: isManifest,
    fault: (random) => {
      const digest = `sha256:${String(random.below(1e9)).padStart(64, "0")}`
      return heard((proper) => withHeaders(proper, { "docker-content-digest": digest }))
    }
  },
  {
    kind: "another type",
    weight: 1,
    suits: (it) => isRead(it) && isManifest(it),
    fault: (random) => {
      const type = random.pick(["text/html", "application/vnd.oci.image.layer.v1.tar", "nonsense", "application/json"])
      return heard((proper) => withHeaders(proper, { "content-type": type }))
    }
  },
  {
    kind: "a login page",
    weight: 1,
    suits: (it) => isRead(it) && mayBeRefused(it),
    fault: () => unheard({ status: 200, headers: { "content-type": "text/html" }, body: "<html>log in</html>" })
  },
  {
    kind: "encoded",
    weight: 1,
    suits: isRead,
    fault: () => heard((it) => withHeaders(it, { "content-encoding": "gzip" }))
  },
  {
    kind: "no HTTP",
    weight: 1,
    fault: (random) => {
      const raw = random.pick([
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        "\u0000\u0001\u0002"
      ])
      return unheard({ status: 200, raw })
    }
  },
  {
    kind: "5xx",
    weight: 5,
    fault: (random) => {
      const status = random.pick([500, 502, 503, 504, 520])
      return unheard({
        status,
        body: random.pick(["", "<html>oops</html>", "\u001b[31mred\u0007\n\nlevel=INFO msg=forged"])
      })
    }
  },
  {
    kind: "5xx after it was done",
    weight: 2,
    suits: isWrite,
    fault: (random) => {
      const status = random.pick([500, 502, 503, 504])
      return heard(() => ({ status }))
    }
  },
  {
    kind: "429",
    weight: 4,
    fault: (random) => {
      const wait = random.chance(0.2) ? undefined : random.pick(waits)
      const status = random.chance(0.7) ? 429 : 503
      return {
        reply: () => problem(status, "TOOMANYREQUESTS", wait === undefined ? {} : { "retry-after": wait() })
      }
    }
  },
  { kind: "408", weight: 0.5, fault: () => unheard({ status: 408 }) },
  {
    kind: "401",
    weight: 0.6,
    suits: mayBeRefused,
    fault: (random, { foreign }) => {
      const challenge = random.pick([
        "Basic realm=\"r\"",
        "Bearer realm=\"",
        "Digest realm=\"r\", nonce=\"n\"",
        `Bearer realm="http://localhost:${foreign.split(":")[1]}/token",service="r"`
      ])
      return unheard({ status: 401, headers: { "www-authenticate": challenge } })
    }
  },
  {
    kind: "an expired token",
    weight: 3,
    suits: ({ headers }) => headers.authorization !== undefined && headers.authorization.startsWith("Bearer "),
    fault: (_, { revoke }) => ({
      heard: (asked) => {
        revoke(asked.headers.authorization ?? "")
        return asked
      },
      reply: (proper) => proper
    })
  },
  { kind: "403", weight: 0.4, suits: mayBeRefused, fault: () => unheard(problem(403, "DENIED")) },
  {
    kind: "404",
    weight: 0.5,
    // An answer of this status for lists and tags of referrers is no fault: it says that there are none.
    // One for a deletion whose answer was lost, and for the question after it, cannot be told from the truth.
    suits: (it) => it.method !== "DELETE" && (isBlob(it) || (isManifest(it) && !it.url.pathname.includes("/sha256-"))),
    fault: () => unheard(problem(404, "NAME_UNKNOWN"))
  },
  { kind: "416", weight: 1, suits: (it) => it.method === "GET" && isBlob(it), fault: () => unheard({ status: 416 }) },
  {
    kind: "416 of a chunk",
    weight: 2,
    suits: (it) => it.method === "PATCH",
    fault: (random) => {
      const range = random.pick(["0-0", "0-9", "0-99999999", "x"])
      return unheard({ status: 416, headers: { range } })
    }
  },
  {
    kind: "half of a chunk taken",
    weight: 2,
    suits: (it) => it.method === "PATCH",
    fault: () => ({
      heard: (asked) => ({ ...asked, body: asked.body.subarray(0, asked.body.length >> 1) }),
      reply: (proper) => proper
    })
  },
  {
    kind: "a lost upload session",
    weight: 3,
    suits: isSession,
    fault: () => ({
      heard: (asked) => ({ ...asked, method: "DELETE", body: Buffer.alloc(0) }),
      reply: () => problem(404, "BLOB_UPLOAD_UNKNOWN")
    })
  },
  {
    kind: "a redirect",
    weight: 1.5,
    suits: (it) => it.method === "GET" && isBlob(it) && !it.url.searchParams.has("moved"),
    fault: () => ({ reply: (_, { url }) => ({ status: 307, headers: { location: `${url.pathname}?moved=1` } }) })
  },
  {
    kind: "a redirect to a foreign host",
    weight: 1.5,
    suits: (it) => it.method === "GET" && (isBlob(it) || isManifest(it)),
    fault: (random, { foreign }) => {
      const status = random.pick([301, 302, 307, 308])
      return {
        reply: (_, { url }) => ({
          status,
          headers: { location: `http://${foreign}${url.pathname}?X-Amz-Signature=${signature}` }
        })
      }
    }
  },
  {
    kind: "a redirect nowhere",
    weight: 0.6,
    fault: (random) => {
      const location = random.pick([
        "",
        "file:///etc/passwd",
        "data:,x",
        "http://ada:pw@127.0.0.1:1/",
        "http://[",
        "/v2/"
      ])
      return unheard({ status: 307, headers: location === "" ? {} : { location } })
    }
  },
  {
    kind: "a redirect to itself",
    weight: 0.3,
    fault: () => ({ reply: (_, { target }) => ({ status: 307, headers: { location: target } }) })
  },
  {
    kind: "a redirected write",
    weight: 0.6,
    suits: isWrite,
    fault: (random, { foreign }) => {
      const status = random.pick([301, 303, 307, 308])
      return { reply: (_, { target }) => ({ status, headers: { location: `http://${foreign}${target}` } }) }
    }
  },
  {
    kind: "an upload at a foreign host",
    weight: 4,
    suits: (it) => it.method === "POST" && isUpload(it),
    fault: (_, { foreign }) =>
      heard((proper) => {
        const location = locationOf(proper)
        return location === undefined || proper.status !== 202
          ? proper
          : withHeaders(proper, { location: `http://${foreign}${location}?X-Amz-Signature=${signature}` })
      })
  },
  {
    kind: "an upload nowhere",
    weight: 0.6,
    suits: (it) => it.method === "POST" && isUpload(it),
    fault: (random) => {
      const location = random.pick(["none", "", "http://[", "file:///tmp/x"])
      return unheard({ status: 202, headers: location === "none" ? {} : { location } })
    }
  }
]

const draw = (random: Random, asked: Asked, elsewhere: Elsewhere): Fault => {
  const fitting = kinds.filter(({ suits }) => suits === undefined || suits(asked))
  let left = random.next() * fitting.reduce((sum, { weight }) => sum + weight, 0)
  const found = fitting.find(({ weight }) => (left -= weight) < 0) ?? fitting[0]
  return found === undefined
    ? { kind: "none", ...unheard("drop") }
    : { kind: found.kind, ...found.fault(random, elsewhere) }
}

export interface Schedule {
  readonly faultOf: (asked: Asked) => Fault | undefined
  /** After how many bytes of its body a request is reset. */
  readonly cutOf: (method: string, path: string) => number | undefined
}

const drawsOf = (key: string): Random => randomOf(createHash("sha256").update(key).digest().readUInt32LE(), 0)

/**
 * The faults of one run before one registry. Of the requests `odds` meet one, by draw; a quarter as many of the
 * different ones always meet the same.
 */
export const scheduleOf = (
  name: string,
  odds: number,
  elsewhere: Elsewhere,
  met: (kind: string) => void
): Schedule => {
  const counts = new Map<string, number>()
  const countOf = (key: string) => {
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return count
  }
  return {
    faultOf: (asked) => {
      // Sessions and tokens have other names each time; what is sent tells uploads apart.
      const path = asked.url.pathname.replace(/(\/blobs\/uploads\/).+/, "$1*")
      const sent = createHash("sha256").update(asked.body).digest("hex")
      const key = `${name} ${asked.method} ${path} ${asked.headers.range ?? ""} ${sent}`
      const always = drawsOf(key)
      const once = drawsOf(`${key} ${countOf(key)}`)
      const random = always.chance(odds / 4) ? always : once.chance(odds) ? once : undefined
      if (random === undefined) return undefined
      const fault = draw(random, asked, elsewhere)
      met(fault.kind)
      return fault
    },
    cutOf: (method, path) => {
      if (method !== "PUT" && method !== "PATCH") return undefined
      const key = `${name} ${method} ${path.replace(/(\/blobs\/uploads\/).+/, "$1*")} body`
      const random = drawsOf(`${key} ${countOf(key)}`)
      if (!random.chance(odds / 4)) return undefined
      met("reset while it sends")
      return Math.floor(random.next() * 30_000)
    }
  }
}

/** What a real server says, its body at once. */
export const asked = (host: string, { body, headers, method, target }: Asked): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { authorization: _, host: __, "transfer-encoding": ___, ...rest } = headers
    const own = { ...rest, host, "content-length": String(body.length) }
    const [hostname, port] = host.split(":")
    const sent = request({ hostname, port, path: target, method, headers: own }, (response) => {
      const parts: Array<Buffer> = []
      response.on("data", (part: Buffer) => parts.push(part))
      response.on("error", reject)
      response.on("end", () => {
        const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...headers } = response.headers
        const shown = Object.entries(headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
        resolve({ status: response.statusCode ?? 500, headers: Object.fromEntries(shown), body: Buffer.concat(parts) })
      })
    })
    sent.on("error", reject)
    sent.end(body)
  })
