/**
 * The shape of a case in the table of commands. In arguments, files and expectations `$R` is the place of the content of
 * `fixtures/repositories`, which no case changes, `$OWN` a place of the case's own, `$HOST` the registry, and `$DIR` the
 * directory the tool runs in.
 */
import type { Ran } from "../../support/programs.ts"

/**
 * What a case is run against: `both` registries, `all` of them and a layout, a registry with a `login` (ada, lovelace), a
 * `spy` that has one image under every name and tells what it was asked, or nothing.
 */
export type Against = "serve" | "docker-registry" | "both" | "ocidir" | "all" | "login" | "spy" | "local"
export type Backend = Exclude<Against, "both" | "all">

export interface Document {
  readonly digest: string
  readonly mediaType: string
  readonly text: string
  // The documents are what the test is about: their keys are compared, not their types.
  readonly json: Readonly<Record<string, Json>>
}
export type Json = string | number | boolean | null | undefined | { readonly [key: string]: Json } | ReadonlyArray<Json>

/** Reads the repositories below a place by HTTP or from files, with nothing of the product. */
export interface Reader {
  /** Sorted. */
  readonly tags: (repository: string) => Promise<ReadonlyArray<string>>
  readonly manifest: (repository: string, reference: string) => Promise<Document | undefined>
  readonly blob: (repository: string, digest: string) => Promise<Buffer | undefined>
  /** Digests of what refers to a digest, sorted: from the API, or from the tag where there is none. */
  readonly referrers: (repository: string, digest: string) => Promise<ReadonlyArray<string>>
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

export interface After {
  readonly ran: Ran
  readonly own: Reader
  readonly shared: Reader
  /** Where the tool ran. */
  readonly dir: string
  /** What the spy was asked below `$OWN`. */
  readonly asked: ReadonlyArray<Asked>
  readonly backend: Backend
  /** What `$OWN` and so on stand for. */
  readonly fill: (text: string) => string
}

export interface Case {
  /** The page's name of the command; empty for what belongs to all. */
  readonly command: string
  /** Flags (`--format`, `-p`) and aliases (`cp`) whose effect it shows; each of them stands in the arguments. */
  readonly shows?: string
  /** After the tool's name; single quotes group. */
  readonly args: string
  readonly against?: Against
  /** Repositories of the fixtures put below `$OWN` beforehand, by name. */
  readonly own?: string
  /** Files of the directory, by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Runs of the tool beforehand, which have to succeed. */
  readonly before?: ReadonlyArray<string>
  readonly stdin?: string
  /** The tool's configuration file in place of one that knows the registries; `null` for none. */
  readonly config?: object | null
  readonly env?: Readonly<Record<string, string>>
  /** Without it, 0 where nothing is expected on standard error. */
  readonly code?: number
  readonly out?: string | RegExp
  readonly err?: string | RegExp
  readonly check?: (after: After) => Promise<void> | void
  /** Why the Go tool's answer is another; without it, its answer is the same. */
  readonly differs?: string
  /** Distinguishes cases with equal arguments. */
  readonly note?: string
}

/** Digests of the fixtures. */
export const d = {
  none: "sha256:0000000000000000000000000000000000000000000000000000000000000000",
  empty: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  /** `app:v1` and `app:stable`, its images, and what they are made of. */
  v1: "sha256:8c08fda0ffe60b27c5ea7e7791f27514563e0a41abf6b6e513cb5ddaa964f6aa",
  amd64: "sha256:2023f3f9a0d95acf3e2477d295240fd2022d438807eec07d3db10722f27184e3",
  amd64Config: "sha256:b3ec9dd9d6eaf34d4c69f011a5d7dfac708c52b1b97c6306bc08f9d08ea7d7a1",
  arm64: "sha256:dfafaa9a055c6a48a98e224803a435f0f855d1198049b2877cebbac596f4e5db",
  arm64Config: "sha256:4d61db4958b6e68de9ac745b9fe51785741e9a877cdf1f9f89fae86c130e90e3",
  baseLayer: "sha256:fd66554bd07647800566a7bda34ad08fe3dc87ed98e1c0c0f16ba17d80596da7",
  appLayer: "sha256:fce527ce1d07ffad8ae010081e21b0b3f789ba83223ac1a34a7838d629c2f21e",
  cacheLayer: "sha256:d45142ee733ec3540caf5a5476301e07d78da3e52ac611b402343450e2fbcc9d",
  /** `app:v2`. */
  v2: "sha256:47152d737ce50a41d4ee230102eb20d49e487e106d5fc8ee18b6015abd3f7c04",
  v2Amd64: "sha256:aa846b627c4be05a759f1adc987e131410cd980c970d607a455caa38fbb9255b",
  v2Amd64Config: "sha256:205971d873744142f1268ed34bf594c7581b3f01fcb3afc25302013f84d8ac8f",
  v2AppLayer: "sha256:d1ff85adf91a6293953ea09bbc7b8e3ec609b00207622680bf003d851397d8fb",
  /** `base:1`, which is `signed:v1` too, its first image, and `base:2`. */
  base1: "sha256:4ff7df8c24853535db7c0f8faab3c2c1567ceb628abfd752a42c577549403145",
  base1Amd64: "sha256:abae682a5b054c80092d2024efb70b171d51967ccbcc74b397b7cf66b5363417",
  base1Arm64: "sha256:b980c020f9a1f06c31660ae3709609a53191ca97d0de058a63e607c35bf3d66f",
  base1Config: "sha256:5946cdfad7d370ae123af186ae6c676196e09ac58190ef490babbb00aee98941",
  base2: "sha256:8dd1b0c29dd87ec9db298ea442184dbb97680e357d19351b28f02b87df6ff3ff",
  base2Amd64: "sha256:45f4c2025b2501fdb44b70e6762a15c08693c90cac7c9b86ab360bad0a009f5a",
  base2Layer: "sha256:eae1340ab16d62a0e673372122b9e1289ba76db605da85adc4d11f2e3b3a6b06",
  dockerList: "sha256:0ee6fab978a3716372c8dc0904c6b312ad6942be1fa0c93c46a4c1385f054d33",
  dockerAmd64: "sha256:1c894ee4dfcf3577dc6816fa0819cce00118744bac4c22dde4c09d339eafffe2",
  /** Referrers of `signed:v1`: signatures of 2 and 3 March, an SBOM of the 1st; an SBOM of its first image. */
  bob: "sha256:acc38cc696ce499bb0b0c5f137944bc76956a513d0712feddc0b5449eb073692",
  ann: "sha256:de3792d30a011af8646ccfca346c1971c4d50fab1d185e8540db958838a2087d",
  cid: "sha256:1dbd4085271933be60a81a5e564fafe0369b2dcf4cf2291c1da3727f6d00b76c",
  dan: "sha256:de29670e97fbbac6267142eb21cfe986f4a84ad3494e4567d73dc6145d152a27",
  signedList: "sha256:9ea1c5fefee401fb94f7019e8bc1befe78d031e91308a0032e006a27e414b757",
  /** The signature in a tag named for `signed:v1`. */
  cosign: "sha256:ff907066d806124f5eacae0d5904dab5a033de0a26a0679c3bf5a6466f875abe",
  /** Refers to `signed:v1` from `reports`. */
  eve: "sha256:c219ad34971d4acf08d62bd99781f6e1a7e9bdcfb96505714c2f3e4db5288433",
  artifact: "sha256:e7896b2f41d4f04788dd4ce3082e6d6467f1f65cd9bd2cee4a775e41dbd50443",
  artifactConfig: "sha256:16a5197c426cd95602315f8e3673a9738175687f7f09d44ede8144b2a9be21f3",
  hello: "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
  one: "sha256:424bfa6ef71911020ee451bfcd6121fa106ba192a802afd11e9d53cc3cb74120",
  artifactIndex: "sha256:f4fed2aa874c96b06075b663038a0f64d3fa87bb491747e09cbbfc22a5a30017",
  attested: "sha256:d0cb96c8d0b39f508176b42cf3ab796f23093684c9814cabda40f8da92281d14",
  attestation: "sha256:4d0b5f3a09486c92954f55fab17c8448184d83d90040e00ab9a8a7384e06438d",
  foreign: "sha256:3a7c5e35e721080808ff1e0d8b3489ae6869b470ef7e38685d60a5e6bf2026fa",
  foreignLayer: "sha256:04ad5b774a9fa864a559e5384ae5fd79b754b728d009f9fdadef056dfbae4b8b"
} as const

export const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json"
} as const
