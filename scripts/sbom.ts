/** What is in what is released, as CycloneDX 1.6 says it. Equal content gives equal documents. */
import { createHash } from "node:crypto"
import type { Bundled } from "./bundled.ts"
import type { Package } from "./images/debian.ts"
import { createdAt, manifest, nodeVersion } from "./run.ts"

interface Component {
  readonly type: "application" | "library" | "platform"
  readonly "bom-ref": string
  readonly name: string
  readonly version: string
  readonly purl: string
  readonly [more: string]: unknown
}

const component = (type: Component["type"], purl: string, name: string, version: string, more: object): Component => ({
  type,
  "bom-ref": purl,
  name,
  version,
  purl,
  ...more
})

const npmName = (name: string): string => name.replace("@", "%40")
const licensed = (id: string) => ({ licenses: [{ license: { id } }] })

/** Packages whose code is in the bundle, with the hashes npm knows them by. */
export const bundledComponents = (packages: ReadonlyArray<Bundled>): ReadonlyArray<Component> =>
  packages.map(({ integrity, license, name, version }) =>
    component("library", `pkg:npm/${npmName(name)}@${version}`, name, version, {
      ...licensed(license),
      hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") }]
    })
  )

/** Node for some platforms, by the SHA-256 of its programs, with what it is made of. */
export const nodeComponents = (programs: Readonly<Record<string, string>>): ReadonlyArray<Component> => {
  const { modules: _modules, napi: _napi, node, ...parts } = process.versions
  if (node !== nodeVersion) throw new Error(`this is Node ${node}, the release is made with ${nodeVersion}`)
  return Object.entries(programs).map(([architecture, sha256]) => {
    const purl = `pkg:generic/node@${node}?arch=${architecture}`
    return component("platform", purl, "node", node, {
      ...licensed("MIT"),
      hashes: [{ alg: "SHA-256", content: sha256 }],
      components: Object.entries(parts).flatMap(([name, version]) =>
        version === undefined
          ? []
          : [component("library", `pkg:generic/${name}@${version}?in=node-${architecture}`, name, version, {})]
      )
    })
  })
}

/** Debian's packages, as scanners know them. */
export const debianComponents = (packages: ReadonlyArray<Package>, distribution: string): ReadonlyArray<Component> => {
  const all = packages.map(({ architecture, name, sha256, version }) => {
    const purl = `pkg:deb/debian/${name.replaceAll("+", "%2B")}@${
      encodeURIComponent(version)
    }?arch=${architecture}&distro=${distribution}`
    return component("library", purl, name, version, { hashes: [{ alg: "SHA-256", content: sha256 }] })
  })
  return [...new Map(all.map((it) => [it.purl, it])).values()]
}

/** The document, of the tools and what is in them. */
export const sbom = (components: ReadonlyArray<Component>): string => {
  const { license, name, version } = manifest
  const tools = component("application", `pkg:npm/${name}@${version}`, name, version, licensed(license))
  const content = {
    metadata: { timestamp: createdAt, component: tools },
    components,
    dependencies: [{ ref: tools["bom-ref"], dependsOn: components.map((it) => it["bom-ref"]) }]
  }
  const hash = createHash("sha256").update(JSON.stringify(content)).digest("hex")
  const uuid = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `5${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32)
  ]
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuid.join("-")}`,
    version: 1,
    ...content
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
