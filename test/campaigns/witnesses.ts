/** What campaigns copy, where it is put, and how strangers read it there: nothing here is the product's. */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import {
  addBlob,
  addImage,
  blobPath,
  digestOf,
  judge,
  makeLayout,
  type Named,
  ociIndex,
  tagAll
} from "../support/layouts.ts"

/** Bytes that no other salt gives. */
export const bytesFor = (salt: string, size: number): Buffer =>
  Buffer.alloc(size, createHash("sha512").update(salt).digest())

/** An index of two images: a large layer, a small one, one in common. */
export const addMultiple = (dir: string, salt: string, large: number): Named => {
  const shared = addBlob(dir, bytesFor("shared by all", 9_000))
  const images = ["amd64", "arm64"].map((architecture, at) => ({
    ...addImage(dir, [shared, bytesFor(`${salt} ${architecture}`, at === 0 ? large : 40_000)]),
    platform: { os: "linux", architecture }
  }))
  return addBlob(dir, JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: images }), ociIndex)
}

/** A layout with an image under each of these tags. */
export const layoutOf = (dir: string, tags: Readonly<Record<string, string>>, large: number): Record<string, Named> => {
  makeLayout(dir)
  const images = Object.fromEntries(Object.entries(tags).map(([tag, salt]) => [tag, addMultiple(dir, salt, large)]))
  tagAll(dir, images)
  return images
}

/** What a place holds, as a stranger sees it. */
export interface Found {
  readonly tags: Readonly<Record<string, string>>
  readonly problems: ReadonlyArray<string>
  /** What is whole or temporary, and not reached by any tag. */
  readonly leftOver?: ReadonlyArray<string>
}

/** Digests of whole blobs of a layout, each with what tells the file from another. */
export const blobsIn = (dir: string): ReadonlyMap<string, string> => {
  const root = join(dir, "blobs/sha256")
  const names = existsSync(root) ? readdirSync(root).filter((it) => /^[0-9a-f]{64}$/.test(it)) : []
  return new Map(names.map((name) => {
    const { ino, mtimeMs, size } = statSync(join(root, name))
    return [`sha256:${name}`, `${ino} ${mtimeMs} ${size}`]
  }))
}

const isTemporary = (name: string): boolean =>
  /^(?:.*\/)?\.regclient-(?:lock|(?:writer|tmp|takeover)-[0-9a-f-]+)$/.test(name)

/** The judge's word on a layout; files that nothing reaches are whole blobs or temporary. */
export const layoutFound = (dir: string): Found => {
  try {
    const { extra, problems, tags } = judge(dir)
    const strange = extra.filter((it) => !(isTemporary(it) || /^blobs\/sha256\/[0-9a-f]{64}$/.test(it)))
    return { tags, problems: [...problems, ...strange.map((it) => `left over: ${it}`)], leftOver: extra }
  } catch (error) {
    return { tags: {}, problems: [`unreadable: ${String(error)}`] }
  }
}

const accept = {
  accept: ["oci.image.index.v1", "oci.image.manifest.v1"].map((it) => `application/vnd.${it}+json`).join(", ")
}

const get = async (url: string): Promise<Response> => {
  for (let tries = 0;; tries++) {
    try {
      return await fetch(url, { headers: accept })
    } catch (error) {
      // A connection that was idle may be closed under the request.
      if (tries > 3) throw error
    }
  }
}

/** Everything that the tags of a repository reach, by plain requests. */
export const registryFound = async (host: string, repository: string): Promise<Found> => {
  const problems: Array<string> = []
  const tags: Record<string, string> = {}
  const reached = new Set<string>()
  const base = `http://${host}/v2/${repository}`
  const read = async (kind: string, name: string) => {
    const answer = await get(`${base}/${kind}/${name}`)
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 200) return bytes
    problems.push(`${kind} ${name}: ${answer.status}`)
    return undefined
  }
  const visit = async (bytes: Buffer): Promise<void> => {
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
    for (
      const [kind, parts] of [["blobs", [...config === undefined ? [] : [config], ...layers]], ["manifests", manifests]]
    ) {
      for (const part of parts) {
        if (reached.has(part.digest)) continue
        reached.add(part.digest)
        const content = await read(kind, part.digest)
        if (content === undefined) continue
        if (content.length !== part.size || digestOf(content) !== part.digest) problems.push(`damaged ${part.digest}`)
        else if (kind === "manifests") await visit(content)
      }
    }
  }
  const list = await get(`${base}/tags/list`)
  const names: unknown = JSON.parse(await list.text()).tags
  for (const tag of Array.isArray(names) ? names : []) {
    const bytes = await read("manifests", tag)
    if (bytes === undefined) continue
    tags[tag] = digestOf(bytes)
    await visit(bytes)
  }
  return { tags, problems }
}

/** Which of these blobs a repository has whole. */
export const blobsAt = async (
  host: string,
  repository: string,
  digests: Iterable<string>
): Promise<ReadonlySet<string>> => {
  const present = new Set<string>()
  for (const digest of digests) {
    const answer = await get(`http://${host}/v2/${repository}/blobs/${digest}`)
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (answer.status === 200 && digestOf(bytes) === digest) present.add(digest)
  }
  return present
}

/** Pushes what a tag of a layout reaches. */
export const push = async (dir: string, named: Named, host: string, repository: string, tag: string): Promise<void> => {
  const send = async (method: string, path: string, body?: Buffer<ArrayBuffer>, type = "application/octet-stream") => {
    const answer = await fetch(new URL(path, `http://${host}`), {
      method,
      headers: { "content-type": type },
      ...(body === undefined ? {} : { body })
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    await answer.arrayBuffer()
    return answer.headers.get("location") ?? ""
  }
  const put = async ({ digest, mediaType }: Named, name: string): Promise<void> => {
    const bytes = Buffer.from(readFileSync(blobPath(dir, digest)))
    const { config, layers = [], manifests = [] } = JSON.parse(bytes.toString())
    for (const part of [...config === undefined ? [] : [config], ...layers]) {
      const at = await send("POST", `/v2/${repository}/blobs/uploads/`)
      const content = Buffer.from(readFileSync(blobPath(dir, part.digest)))
      await send("PUT", `${at}${at.includes("?") ? "&" : "?"}digest=${part.digest}`, content)
    }
    for (const part of manifests) await put(part, part.digest)
    await send("PUT", `/v2/${repository}/manifests/${name}`, bytes, mediaType)
  }
  await put(named, tag)
}

const unpack = [
  "import sys,tarfile,hashlib,json",
  "t=tarfile.open(sys.argv[1],'r:')",
  "o={}",
  "for m in t:",
  " if m.isfile():",
  "  b=t.extractfile(m).read()",
  "  assert len(b)==m.size",
  "  o[m.name]=[hashlib.sha256(b).hexdigest(),len(b),b.decode() if len(b)<9000 else '']",
  "print(json.dumps(o))"
].join("\n")

/** An exported image, as python reads it; absent without the file. */
export const tarFound = (file: string): Found => {
  if (!existsSync(file)) return { tags: {}, problems: [] }
  const { status, stderr, stdout } = spawnSync("python3", ["-c", unpack, file], { encoding: "utf8", maxBuffer: 1e8 })
  if (status !== 0) return { tags: {}, problems: [`python: ${stderr.trim().split("\n").at(-1)}`] }
  const entries: Record<string, [hash: string, size: number, text: string]> = JSON.parse(stdout)
  const problems: Array<string> = []
  const visit = ({ digest, mediaType, size }: Named): void => {
    const entry = entries[`blobs/${digest.replace(":", "/")}`]
    if (entry === undefined) return void problems.push(`lacks ${digest}`)
    if (entry[1] !== size || `sha256:${entry[0]}` !== digest) return void problems.push(`damaged ${digest}`)
    if (!/manifest|index/.test(mediaType)) return
    const { config, layers = [], manifests = [] } = JSON.parse(entry[2])
    for (const part of [...config === undefined ? [] : [config], ...layers, ...manifests]) visit(part)
  }
  const listed: ReadonlyArray<Named> = JSON.parse(entries["index.json"]?.[2] ?? `{"manifests":[]}`).manifests
  listed.forEach(visit)
  return { tags: { tar: listed.map(({ digest }) => digest).join() }, problems }
}
