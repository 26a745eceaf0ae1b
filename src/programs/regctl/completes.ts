/** What completes words of `regctl` by the name of their flag or positional (regctl description, section 3). */
import { manifestTypes, mediaTypes } from "../../schemas/MediaType.ts"
import type { CompletionRules } from "../cli/flags.ts"

const platforms = [
  "local",
  "linux",
  "windows",
  "freebsd",
  "linux/amd64",
  "linux/386",
  "linux/arm/v5",
  "linux/arm/v6",
  "linux/arm/v7",
  "linux/arm64",
  "linux/mips64le",
  "linux/ppc64le",
  "linux/riscv64",
  "linux/s390x",
  "windows/amd64",
  "freebsd/amd64"
]

const fileTypes = [
  mediaTypes.octetStream,
  "application/tar+gzip",
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd
]

const indexTypes = [mediaTypes.ociIndex, mediaTypes.dockerList]

/** A rule of one command stands above that of every flag with the name. */
export const completes: CompletionRules = {
  "image_ref": "reference",
  "src_image_ref": "reference",
  "dst_image_ref": "reference",
  "reference": "reference",
  "repository": "repository",
  "source_repo": "repository",
  "dest_repo": "repository",
  "registry": "registry",
  "file": "file",
  "filename": "file",
  "out-file": "file",
  "--algorithm": ["sha256", "sha384", "sha512"],
  "--base": "reference",
  "--config-file": "file",
  "--config-platform": platforms,
  "--config-type": [mediaTypes.ociConfig, mediaTypes.ociEmpty, "application/vnd.cncf.helm.chart.config.v1+json"],
  "--content-type": manifestTypes,
  "--create": "reference",
  "--desc-platform": platforms,
  "--digest-algo": ["sha256", "sha512"],
  "--dir": "file",
  "--external": "repository",
  "--file-media-type": fileTypes,
  "--htpasswd": "file",
  "--layer-compress": ["gzip", "none", "zstd"],
  "--media-type": [mediaTypes.ociManifest, mediaTypes.dockerManifest],
  "--output": "file",
  "--platform": platforms,
  "--platforms": platforms,
  "--ref": "reference",
  "--referrers-src": "repository",
  "--referrers-tgt": "repository",
  "--subject": "reference",
  "--tls": ["enabled", "insecure", "disabled"],
  "--tls-cert": "file",
  "--tls-key": "file",
  "artifact put --file": "file",
  "artifact put --media-type": [mediaTypes.ociManifest, mediaTypes.ociArtifact],
  "blob get-file file": "nothing",
  "blob put --content-type": [mediaTypes.octetStream],
  "image get-file filename": "nothing",
  "index add --media-type": indexTypes,
  "index create --media-type": indexTypes,
  "index create --subject": "nothing",
  "registry set --mirror": "registry"
}
