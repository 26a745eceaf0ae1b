/** A registry that answers the same to everybody, and remembers what it was asked. */
import { createServer } from "node:http"
import type { Asked } from "./case.ts"
import { sha256 } from "./places.ts"

/** A registry with one image under every name, that tells what it was asked. */
export const spyRegistry = async () => {
  const asked: Array<Asked> = []
  const server = createServer((request, response) => {
    const { headers, method = "", url = "" } = request
    asked.push({ method, path: url, headers })
    request.resume()
    response.setHeader("content-length", spied.length)
    response.setHeader("content-type", "application/vnd.oci.image.manifest.v1+json")
    if (url.endsWith("/tags/list")) {
      response.setHeader("content-length", gcr.length)
      return void response.writeHead(200, { "content-type": "application/json" }).end(gcr)
    }
    if (!url.includes("/manifests/")) return void response.writeHead(200, { "content-length": 0 }).end()
    if (!url.includes("nodigest")) response.setHeader("docker-content-digest", sha256(spied))
    if (!url.includes("nolimit")) {
      response.setHeader("ratelimit-limit", "100;w=21600")
      response.setHeader("ratelimit-remaining", "76;w=21600")
    }
    response.writeHead(200).end(method === "HEAD" ? undefined : spied)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    asked,
    requests: () => Promise.resolve([]),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}

/** What the spy gives for every manifest. */
const spied = Buffer.from(
  `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":` +
    `"application/vnd.oci.empty.v1+json","digest":"${sha256(Buffer.from("{}"))}","size":2},"layers":[]}`
)

/** A list of tags as Google's registries write it. */
const gcr = `{"name":"gcr","tags":["v1"],"child":["sub"],"manifest":{"${sha256(spied)}":{"imageSizeBytes":"1234",` +
  `"mediaType":"application/vnd.oci.image.manifest.v1+json","timeCreatedMs":"1704164645000",` +
  `"timeUploadedMs":"1704168245000","tag":["v1"]}}}`
