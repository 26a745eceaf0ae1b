/** The commands `regctl cli-doc`, `digest`, `ref` and `serve`: flags and help. */
import { command, localCommand } from "../cli/command.ts"
import { optional, text, toggle } from "../cli/flags.ts"
import { format } from "./shared.ts"

export const digest = localCommand({
  name: "digest",
  summary: "compute the digest of standard input",
  args: "",
  isHidden: true,
  examples: [["the digest of a text", "echo hello | {tool} digest"]],
  options: {
    algorithm: text("algorithm", "sha256, sha384 or sha512", { otherwise: "sha256" }),
    format: format("{{.String}}")
  }
}, () => import("../misc/digest.ts"))

export const ref = localCommand({
  name: "ref",
  summary: "take a reference apart",
  help: "Read a reference and show its full name, or a part of it.",
  args: "<reference>",
  isHidden: true,
  examples: [["the registry of a short name", "{tool} ref nginx --format '{{ .Registry }}'"]],
  options: { format: format("{{.CommonName}}") }
}, () => import("../misc/ref.ts"))

export const serve = command({
  name: "serve",
  summary: "run a registry",
  help: `Run a registry that keeps images in layout directories.
Without --dir they are kept until it ends. It listens on this machine only,
unless --addr says otherwise.`,
  args: "",
  isServer: true,
  examples: [
    ["a registry to try things with", "{tool} serve"],
    ["a registry that keeps its images", "{tool} serve --addr 127.0.0.1:5001 --dir ./images"],
    [
      "a registry for others, with TLS and logins",
      "{tool} serve --addr :5000 --dir ./images --htpasswd users --tls-cert cert.pem --tls-key key.pem"
    ]
  ],
  options: {
    addr: text("addr", "Address and port to listen on, port 0 for a free one", { otherwise: "127.0.0.1:5000" }),
    allowAnonymous: toggle("allow-anonymous", "Serve other machines without logins"),
    allowSparse: toggle("allow-sparse", "Take images whose blobs are missing"),
    dir: optional(text("dir", "Directory to keep images in")),
    htpasswd: optional(text("htpasswd", "File of logins, as htpasswd -B writes it")),
    readOnly: toggle("read-only", "Refuse every change"),
    tlsCert: optional(text("tls-cert", "File with the certificate")),
    tlsKey: optional(text("tls-key", "File with the certificate's key"))
  }
}, () => import("../serve/main.ts"))
