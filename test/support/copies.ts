/** Copies of one multi-platform image between two quirky registries, and what must hold after each, however it ended. */
import { assert } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { regctlHere } from "./inProcess.ts"
import type { Ran } from "./programs.ts"
import { digestOf, emptyRepository, lacking, type Quirk, quirky, type Repository, type Started } from "./quirky.ts"
import { temporary } from "./registries.ts"

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  image: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar"
}

/** Bytes that repeat nowhere near, the same in each run. */
export const bytesOf = (seed: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  let state = seed * 2_654_435_761 + 1
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

export interface Seeded {
  readonly index: string
  readonly images: ReadonlyArray<string>
  /** The blob that is streamed, not sent from memory. */
  readonly large: string
  readonly small: string
  readonly requests: number
}

/** An index of two images with a large layer of their own and a small one in common. */
export const seed = (repository: Repository, tag: string, salt = 1, largeSize = 1_300_000): Seeded => {
  const blob = (mediaType: string, content: Buffer) => {
    const digest = digestOf(content)
    repository.blobs.set(digest, content)
    return { mediaType, digest, size: content.length }
  }
  const manifest = (mediaType: string, document: object) => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }))
    const digest = digestOf(bytes)
    repository.manifests.set(digest, { type: mediaType, bytes })
    return { mediaType, digest, size: bytes.length }
  }
  const shared = blob(types.layer, bytesOf(salt, 40_000))
  const large = blob(types.layer, bytesOf(salt + 1, largeSize))
  const own = blob(types.layer, bytesOf(salt + 2, 90_000))
  const image = (architecture: string, layer: object) =>
    manifest(types.image, {
      config: blob(types.config, Buffer.from(JSON.stringify({ architecture, os: "linux", salt }))),
      layers: [shared, layer]
    })
  const images = [image("amd64", large), image("arm64", own)]
  const index = manifest(types.index, {
    manifests: images.map((it, at) => ({
      ...it,
      platform: { os: "linux", architecture: at === 0 ? "amd64" : "arm64" }
    }))
  })
  repository.tags.set(tag, index.digest)
  return {
    index: index.digest,
    images: images.map(({ digest }) => digest),
    large: large.digest,
    small: own.digest,
    requests: 30
  }
}

export interface World {
  readonly source: Started
  readonly target: Started
  /** A third host: where blobs are redirected to. */
  readonly store: Started
  readonly image: Seeded
  /** What the target's tag was before. */
  readonly old: Seeded
  readonly stop: () => Promise<void>
  readonly run: (args: ReadonlyArray<string>, hosts?: Hosts, times?: number) => Promise<Ran>
}

/** Entries of the configuration, beyond what each host needs anyway. */
export interface Hosts {
  readonly source?: object
  readonly target?: object
  readonly store?: object
}

const timeouts = { connect: "2s", headers: "400ms", commit: "400ms", stall: "300ms" }

/** Both registries ask for a login and know one; the store has an entry only where a test gives one. */
export const world = async (transport = ""): Promise<World> => {
  const [source, target, store] = await Promise.all([quirky(), quirky(), quirky()])
  const dir = temporary("faults")
  const config = join(dir.path, "config.json")
  const image = seed(source.repository("app"), "v1")
  const old = seed(target.repository("app"), "old", 77, 50_000)
  const entry = { tls: "disabled", timeouts, user: "ada", pass: "l0velace" }
  const run: World["run"] = (args, hosts = {}, times) => {
    writeFileSync(
      config,
      JSON.stringify({
        hosts: {
          [source.host]: { ...entry, ...hosts.source },
          [target.host]: { ...entry, ...hosts.target },
          ...(hosts.store === undefined ? {} : { [store.host]: hosts.store })
        }
      }),
      { mode: 0o600 }
    )
    const env = transport === "" ? {} : { REGCLIENT_TRANSPORT: transport }
    return regctlHere(args, { config, env, ...(times === undefined ? {} : { times }) })
  }
  return {
    source,
    target,
    store,
    image,
    old,
    run,
    stop: async () => {
      await Promise.all([source, target, store].map((it) => it.stop()))
      dir.remove()
    }
  }
}

/** Everything as it was before the first copy. */
export const restore = ({ old, source, store, target }: World): void => {
  for (const it of [source, target, store]) {
    it.quirk = () => undefined
    it.cutBody = () => undefined
    it.hasReferrers = true
    it.forget()
    it.incomplete.length = 0
  }
  source.repositories.set("app", emptyRepository())
  target.repositories.clear()
  seed(source.repository("app"), "v1")
  seed(target.repository("app"), "v1", 77, 50_000)
  assert.strictEqual(target.repository("app").tags.get("v1"), old.index)
}

/** Asks for the login once, as registries do, then answers as `quirk` says. */
export const withLogin = (quirk: Quirk = () => undefined): Quirk => (asked, proper) =>
  asked.headers.authorization === `Basic ${Buffer.from("ada:l0velace").toString("base64")}`
    ? quirk(asked, proper)
    : {
      status: 401,
      headers: { "www-authenticate": "Basic realm=\"r\"", "content-type": "application/json" },
      body: "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"login please\"}]}"
    }

/** D1, D2, D8 and the rule of origins; `isDone` says how the copy ended. */
export const holds = ({ image, old, source, store, target }: World, isDone: boolean): void => {
  const reference = emptyRepository()
  seed(reference, "v1")
  const from = source.repository("app")
  assert.deepStrictEqual([...from.tags], [...reference.tags], "the source is unchanged (D8)")
  assert.deepStrictEqual([...from.manifests.keys()], [...reference.manifests.keys()], "the source is unchanged (D8)")
  assert.deepStrictEqual([...from.blobs.keys()], [...reference.blobs.keys()], "the source is unchanged (D8)")
  assert.deepStrictEqual(
    source.asked.filter(({ method }) => method !== "GET" && method !== "HEAD").map(({ method, target }) =>
      `${method} ${target}`
    ),
    []
  )
  const to = target.repository("app")
  assert.deepStrictEqual(target.incomplete, [], "no tag is put on something incomplete (D1)")
  const tag = to.tags.get("v1")
  if (isDone) assert.strictEqual(tag, image.index)
  else assert.include([old.index, image.index], tag, "the tag is old, or new and whole (D2)")
  assert.deepStrictEqual(lacking(to, tag ?? ""), [])
  for (const [digest, content] of to.blobs) assert.strictEqual(digestOf(content), digest)
  for (const [digest, { bytes }] of to.manifests) assert.strictEqual(digestOf(bytes), digest)
  for (const { headers, target } of store.asked) {
    assert.isUndefined(headers.authorization, `no login goes elsewhere (${target})`)
    assert.isUndefined(headers.cookie)
  }
}

/** One line that says what and where, without stacks, secrets or control characters. */
export const isClear = (err: string): void => {
  const lines = err.trimEnd().split("\n")
  const last = lines.at(-1) ?? ""
  assert.isAbove(last.length, 20, err)
  assert.isBelow(last.length, 8_001)
  assert.notMatch(err, /\n {4}at |undefined|\[object|l0velace|internal error/)
  // eslint-disable-next-line no-control-regex
  assert.notMatch(last, /[\u0000-\u001f]/)
}
