/** `regctl`: its commands and its global flags. */
import { group, type Tool } from "../cli/command.ts"
import { text, texts } from "../cli/flags.ts"
import { cliDoc, completion, logOptions, verbosity, version } from "../cli/standard.ts"
import { artifact } from "./artifact.ts"
import { blob } from "./blob.ts"
import { config } from "./config.ts"
import { docker } from "./docker.ts"
import { image } from "./image.ts"
import { index } from "./indexes.ts"
import { manifest } from "./manifest.ts"
import { digest, ref, serve } from "./misc.ts"
import { registry } from "./registry.ts"
import { repo } from "./repo.ts"
import { tag } from "./tag.ts"

const root = group({
  name: "regctl",
  summary: "Inspect, copy and edit images and artifacts in registries",
  help: `Inspect, copy and edit images and artifacts in OCI registries and layout directories.`,
  examples: [
    ["log in to a registry", "{tool} registry login ghcr.io"],
    ["a local registry without TLS", "{tool} registry set --tls disabled localhost:5000"],
    ["copy an image", "{tool} image copy ghcr.io/example/app:v1 localhost:5000/app:v1"],
    ["see what a command does", "{tool} tag ls ghcr.io/example/app -v debug"],
    ["log lines as JSON", "{tool} image ratelimit --logopt json alpine"],
    ["settings for one run", "{tool} image digest --host reg=localhost:5000,tls=disabled localhost:5000/app:v1"]
  ],
  children: [
    artifact,
    blob,
    cliDoc("image copy"),
    completion,
    config,
    digest,
    docker,
    image,
    index,
    manifest,
    ref,
    registry,
    repo,
    serve,
    tag,
    version
  ]
})

export const regctl: Tool = {
  root,
  completes: () => import("./completes.ts"),
  globals: [
    texts("host", "Settings of a registry for this run (reg=registry,user=name,pass=password,tls=enabled)").shape,
    logOptions,
    text("user-agent", "User agent in place of the tool's own").shape,
    verbosity("WARN")
  ]
}
