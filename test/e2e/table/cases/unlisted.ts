/** A referrer that no list names. */
import { createHash } from "node:crypto"
import { d, types } from "../case.ts"

const empty = { mediaType: "application/vnd.oci.empty.v1+json", digest: d.empty, size: 2 }
const example = "application/vnd.example"

const sha256 = (content: string) => createHash("sha256").update(content).digest("hex")

/** A layout whose referrer is listed nowhere but in its index, as other tools leave them. */
export const unlisted = (): Readonly<Record<string, string>> => {
  const document = (more: string) =>
    `{"schemaVersion":2,"mediaType":"${types.manifest}","config":${JSON.stringify(empty)},"layers":[` +
    `{"mediaType":"text/plain","digest":"${d.hello}","size":6}]${more}}`
  const image = document("")
  const entry = (content: string, more = "") =>
    `{"mediaType":"${types.manifest}","digest":"sha256:${sha256(content)}","size":${content.length}${more}}`
  const referrer = document(`,"artifactType":"${example}.found","subject":${entry(image)}`)
  const blobs = [image, referrer, "{}", "hello\n"].map((it) => [`lay/blobs/sha256/${sha256(it)}`, it])
  return {
    "lay/oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
    "lay/index.json": `{"schemaVersion":2,"manifests":[${
      entry(image, `,"annotations":{"org.opencontainers.image.ref.name":"v1"}`)
    },${entry(referrer)}]}`,
    ...Object.fromEntries(blobs)
  }
}
