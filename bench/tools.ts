/** The tools that are compared, ours and the peers found on this machine, and how each is told to do a thing. */
import { existsSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { root } from "../test/support/programs.ts"
import type { Contestant } from "./measure.ts"
import { scratch } from "./surroundings.ts"

const onPath = (program: string): string | undefined =>
  (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, program)).find((it) => existsSync(it))

const existing = (path: string): string | undefined => existsSync(path) ? path : undefined

export const peers = {
  regctl: process.env["REGCTL_GO"],
  regsync: process.env["REGSYNC_GO"],
  crane: onPath("crane"),
  oras: onPath("oras"),
  skopeo: onPath("skopeo"),
  ab: onPath("ab")
} as const

export const tool = (name: "regctl" | "regsync"): ReadonlyArray<string> => [
  process.execPath,
  join(root, "dist", `${name}.js`)
]

/** The single executable, where it has been built. */
export const executable = (name: "regctl" | "regsync"): string | undefined => existing(join(root, "dist-sea", name))

/** What every tool finds as its home: none of the user's settings, and caches that go with the run. */
export const env = {
  HOME: scratch,
  XDG_CACHE_HOME: join(scratch, "cache"),
  XDG_CONFIG_HOME: join(scratch, "config"),
  DOCKER_CONFIG: scratch,
  REGCTL_CONFIG: join(scratch, "regctl.json")
}

/** Says that these hosts speak http, to the tools that have to be told in a file. */
export const trust = (hosts: ReadonlyArray<string>): void =>
  writeFileSync(
    env.REGCTL_CONFIG,
    JSON.stringify({ hosts: Object.fromEntries(hosts.map((host) => [host, { tls: "disabled" }])) })
  )

const common = { env, cwd: scratch }

/** A contestant for a peer, none where the peer is not there. */
export const peer = (
  program: string | undefined,
  name: string,
  args: ReadonlyArray<string>,
  more: Partial<Contestant> = {}
): ReadonlyArray<Contestant> => program === undefined ? [] : [{ ...common, name, command: [program, ...args], ...more }]

/** A peer that does one thing at a time: a process each, one after the other. */
export const peerEach = (
  program: string | undefined,
  name: string,
  commands: ReadonlyArray<ReadonlyArray<string>>,
  more: Partial<Contestant> = {}
): ReadonlyArray<Contestant> => {
  if (program === undefined) return []
  const lines = commands.map((args) => [program, ...args].join(" "))
  const file = join(scratch, `${name.replaceAll(/\W/g, "-")}-${lines.length}.sh`)
  writeFileSync(file, ["set -e", ...lines, ""].join("\n"))
  return [{ ...common, name, command: ["sh", file], ...more }]
}

export const ours = (name: string, command: ReadonlyArray<string>, more: Partial<Contestant> = {}): Contestant => ({
  ...common,
  name,
  command,
  ...more
})

export const skopeoCopy = (from: string, to: string): ReadonlyArray<string> => [
  "--insecure-policy",
  "copy",
  "--preserve-digests",
  "--src-tls-verify=false",
  "--dest-tls-verify=false",
  from,
  to
]

/** Every tool's way to copy one image between two registries that speak http. */
export const copiers = (from: string, to: string): ReadonlyArray<Contestant> => [
  ours("regctl", [...tool("regctl"), "image", "copy", from, to]),
  ...peer(peers.regctl, "regctl (Go)", ["image", "copy", from, to]),
  ...peer(peers.crane, "crane", ["copy", "--insecure", from, to]),
  ...peer(peers.oras, "oras", ["cp", "--no-tty", "--from-plain-http", "--to-plain-http", from, to]),
  ...peer(peers.skopeo, "skopeo", skopeoCopy(`docker://${from}`, `docker://${to}`))
]

/** Every tool's way to bring an image into the directory `saved` of the scratch directory. */
export const savers = (from: string): ReadonlyArray<Contestant> => [
  ours("regctl", [...tool("regctl"), "image", "copy", from, "ocidir://saved:v1"]),
  ...peer(peers.regctl, "regctl (Go)", ["image", "copy", from, "ocidir://saved:v1"]),
  ...peer(peers.crane, "crane", ["pull", "--insecure", "--format=oci", from, "saved"]),
  ...peer(peers.oras, "oras", ["cp", "--no-tty", "--from-plain-http", "--to-oci-layout", from, "saved:v1"]),
  ...peer(peers.skopeo, "skopeo dir:", skopeoCopy(`docker://${from}`, "dir:saved"))
]

interface Mirrored {
  readonly source: string
  readonly target: string
}

/** A configuration of regsync, ours and Go's, for repositories of two hosts. */
export const mirrorFile = (name: string, repositories: ReadonlyArray<Mirrored>): string => {
  const hosts = new Set(repositories.flatMap(({ source, target }) => [source, target]).map((it) => it.split("/")[0]))
  const path = join(scratch, `${name}.json`)
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      creds: [...hosts].map((registry) => ({ registry, tls: "disabled" })),
      defaults: { parallel: 4 },
      sync: repositories.map((it) => ({ ...it, type: "repository" }))
    })
  )
  return path
}

/** A list of all tags of repositories for `skopeo sync`, which puts them below one path of the target. */
export const skopeoSync = (
  name: string,
  host: string,
  repositories: ReadonlyArray<string>,
  to: string
): ReadonlyArray<string> => {
  const path = join(scratch, `${name}.yml`)
  const images = Object.fromEntries(repositories.map((it) => [it, []]))
  writeFileSync(path, JSON.stringify({ [host]: { "tls-verify": false, images } }))
  return ["--insecure-policy", "sync", "--src=yaml", "--dest=docker", "--dest-tls-verify=false", path, to]
}
