/** The commands `regctl registry …`: flags and help. */
import { command, group } from "../cli/command.ts"
import { decimal, integer, natural, text, texts, toggle } from "../cli/flags.ts"
import { format, skipCheck } from "./shared.ts"

const set = command({
  name: "set",
  summary: "set options of a registry",
  help: "Set options of a registry. Only what is given changes; a value equal to the default is removed.",
  args: "[registry]",
  examples: [
    ["a registry without TLS", "{tool} registry set localhost:5000 --tls disabled"],
    ["a certificate authority of your own", `{tool} registry set registry.example.org --cacert "$(cat ca.pem)"`],
    ["a mirror of Docker Hub", "{tool} registry set docker.io --mirror mirror.example.org"],
    ["at most ten requests a second", "{tool} registry set quay.io --req-per-sec 10"]
  ],
  options: {
    apiOpts: texts("api-opts", "Option key=value; key= removes it"),
    blobChunk: integer("blob-chunk", "Bytes of a chunk of an upload"),
    blobMax: integer("blob-max", "Bytes from which a blob is sent in chunks, -1 for never"),
    cacert: text("cacert", `Certificate authority, PEM text (for a file: "$(cat ca.pem)")`),
    clientCert: text("client-cert", `Client certificate, PEM text (for a file: "$(cat client.pem)")`),
    clientKey: text("client-key", `Client key, PEM text (for a file: "$(cat client.key)")`),
    credHelper: text("cred-helper", "Credential helper, the full name of the program"),
    dns: texts("dns", "Deprecated", { isHidden: true }),
    hostname: text("hostname", "Host or address to connect to, with port"),
    mirror: texts("mirror", "Registry to read from first; one empty name clears the list"),
    pathPrefix: text("path-prefix", "Prefix of every repository"),
    priority: natural("priority", "Order among mirrors, lower first"),
    repoAuth: toggle("repo-auth", "Log in for each repository apart"),
    reqConcurrent: integer("req-concurrent", "Requests at once"),
    reqPerSec: decimal("req-per-sec", "Requests a second"),
    scheme: text("scheme", "Deprecated", { isHidden: true }),
    skipCheck,
    tls: text("tls", "TLS: enabled, insecure or disabled")
  }
}, () => import("../registry/set.ts"))

export const registry = group({
  name: "registry",
  summary: "log in to registries and configure them",
  help: `Log in to registries and configure them.
The configuration is kept in $HOME/.regctl/config.json, or in the file named by
REGCTL_CONFIG. Docker's logins and values of --host are no part of it.`,
  children: [
    command({
      name: "config",
      summary: "show the configuration of registries",
      help: "Show the configuration of one registry or of all. Passwords, tokens and keys are left out.",
      args: "[registry]",
      examples: [
        ["the whole configuration", "{tool} registry config"],
        ["the user at Docker Hub", "{tool} registry config docker.io --format '{{.User}}'"]
      ],
      options: { format: format("{{jsonPretty .}}") }
    }, () => import("../registry/config.ts")),
    command({
      name: "login",
      summary: "log in to a registry",
      help: "Keep a login for a registry. Logins made with docker are found without it.",
      args: "[registry]",
      examples: [
        ["log in to Docker Hub", "{tool} registry login"],
        ["log in to a registry", "{tool} registry login registry.example.org"],
        ["with a token from elsewhere", `echo "$TOKEN" | {tool} registry login ghcr.io -u "$NAME" --pass-stdin`]
      ],
      options: {
        pass: text("pass", "Password", { short: "p" }),
        passStdin: toggle("pass-stdin", "Read the password from standard input"),
        skipCheck,
        user: text("user", "User name", { short: "u" })
      }
    }, () => import("../registry/login.ts")),
    command({
      name: "logout",
      summary: "forget a login",
      help: "Remove the login for a registry from the configuration.",
      args: "[registry]",
      examples: [["log out from a registry", "{tool} registry logout registry.example.org"]],
      options: {}
    }, () => import("../registry/logout.ts")),
    set,
    command({
      name: "whoami",
      summary: "show the login for a registry",
      help: "Show the user name kept for a registry.",
      args: "[registry]",
      examples: [["the login for a registry", "{tool} registry whoami registry.example.org"]],
      options: {}
    }, () => import("../registry/whoami.ts"))
  ]
})
