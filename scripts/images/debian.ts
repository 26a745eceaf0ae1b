/**
 * What Node needs of a system, from Debian's packages: the C and C++ libraries, certificates, and the files that say
 * whose they are. apt fetches and verifies them for any architecture; what is installed on this machine does not change.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { must } from "../run.ts"
import type { Architecture } from "./node.ts"
import { type Entry, found, type Tree } from "./tree.ts"

export interface Package {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly sha256: string
}

export interface Debian {
  readonly tree: Tree
  readonly packages: ReadonlyArray<Package>
  /** `debian-12`. */
  readonly distribution: string
}

const wanted = ["base-files", "ca-certificates", "libatomic1", "libc6", "libgcc-s1", "libstdc++6"]

/** Libraries of the packages that programs load by themselves or ask for by name. */
const libraries =
  /^lib(?:64)?\/(?:[^/]+\/)?(?:ld-linux|lib(?:atomic|c|dl|gcc_s|m|nss_dns|nss_files|pthread|resolv|rt|stdc\+\+)\.so\.)[^/]*$/

/** What tells scanners and people what the system is made of, and under which terms. */
const papers =
  /^(?:usr\/share\/doc\/[^/]+(?:\/copyright)?|usr\/share\/common-licenses\/[^/]+|usr\/lib\/os-release|etc\/os-release|etc\/debian_version)$/

/** `lib` is a link to `usr/lib`, as in every Debian since 12. */
const merged = (path: string): string => path.replace(/^usr\/(lib(?:64)?\/)(?!os-release)/, "$1")

/** Fetches the packages into a directory of its own. */
export const debianFor = (architecture: Architecture, dir: string): Debian => {
  const archives = fetched(architecture, dir)
  const certificates: Array<string> = []
  const tree = new Map<string, Entry>(skeleton)
  const packages = archives.map((archive): Package => {
    const field = (name: string) => must("dpkg-deb", ["-f", archive, name]).trim()
    const name = field("Package")
    const unpacked = join(dir, "unpacked", name)
    must("dpkg-deb", ["-x", archive, unpacked])
    for (const [path, entry] of found(unpacked)) {
      if (/^usr\/share\/ca-certificates\/mozilla\/.*\.crt$/.test(path)) certificates.push(join(unpacked, path))
      if (libraries.test(merged(path))) tree.set(`usr/${merged(path)}`, entry)
      if (papers.test(path)) tree.set(path, entry)
    }
    tree.set(`var/lib/dpkg/status.d/${name}`, { type: "file", body: must("dpkg-deb", ["-f", archive]) })
    return {
      name,
      version: field("Version"),
      architecture: field("Architecture"),
      sha256: createHash("sha256").update(readFileSync(archive)).digest("hex")
    }
  })
  const bundle = certificates.toSorted().map((it) => `${readFileSync(it, "utf8").trimEnd()}\n`).join("")
  if (certificates.length < 50) throw new Error(`ca-certificates has ${certificates.length} certificates`)
  tree.set("etc/ssl/certs/ca-certificates.crt", { type: "file", body: bundle })
  if ([...tree.keys()].some((it) => it.startsWith("usr/lib64/"))) {
    tree.set("lib64", { type: "symlink", linkname: "usr/lib64" })
  }
  return { packages, tree, distribution: distributionOf(tree) }
}

/** The user of the images, with a home that may hold settings. */
export const user = { name: "appuser", id: 1000, home: "/home/appuser" } as const

const skeleton: Tree = new Map<string, Entry>([
  ["lib", { type: "symlink", linkname: "usr/lib" }],
  ["bin", { type: "symlink", linkname: "usr/bin" }],
  ["tmp", { type: "directory", mode: 0o1777 }],
  ["root", { type: "directory", mode: 0o700 }],
  ...["dev", "proc", "sys", "run", "var/tmp"].map((it) => [it, { type: "directory" }] as const),
  ["home/appuser", { type: "directory", owner: user.id }],
  // Mounted volumes take the owner of what they cover.
  ...[".docker", ".regctl"].map((it) =>
    [`home/appuser/${it}`, { type: "directory", mode: 0o700, owner: user.id }] as const
  ),
  ["etc/passwd", {
    type: "file",
    body: `root:x:0:0:root:/root:/sbin/nologin\n${user.name}:x:${user.id}:${user.id}::${user.home}:/sbin/nologin\n`
  }],
  ["etc/group", { type: "file", body: `root:x:0:\n${user.name}:x:${user.id}:\n` }],
  ["etc/nsswitch.conf", { type: "file", body: "passwd: files\ngroup: files\nhosts: files dns\n" }]
])

const distributionOf = (tree: Tree): string => {
  const release = tree.get("usr/lib/os-release")
  const text = release?.type === "copy" ? readFileSync(release.from, "utf8") : ""
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? ""
  if (value("ID") === "") throw new Error("base-files has no os-release")
  return `${value("ID")}-${value("VERSION_ID")}`
}

/** The archives of the packages. apt has a state and a cache here, and its sources and keys from this machine. */
const fetched = (architecture: Architecture, dir: string): ReadonlyArray<string> => {
  const archives = join(dir, "archives")
  for (const it of ["state/lists/partial", "cache/archives/partial", "archives", "unpacked"]) {
    mkdirSync(join(dir, it), { recursive: true })
  }
  const status = join(dir, "state/status")
  writeFileSync(status, "")
  const config = join(dir, "apt.conf")
  writeFileSync(
    config,
    [
      `APT::Architecture "${architecture}";`,
      `APT::Architectures "${architecture}";`,
      `Dir::State "${join(dir, "state")}";`,
      `Dir::State::status "${status}";`,
      `Dir::Cache "${join(dir, "cache")}";`,
      `Acquire::Languages "none";`,
      `Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";`,
      `Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";`,
      `Acquire::Retries "3";`,
      // This directory belongs to who builds.
      `APT::Sandbox::User "${process.env["USER"] ?? "root"}";`
    ].map((it) => `${it}\n`).join("")
  )
  const apt = (...args: ReadonlyArray<string>) =>
    must("apt-get", ["-q", ...args], { cwd: archives, env: { APT_CONFIG: config } })
  apt("update")
  apt("download", ...wanted)
  // The licences of the libraries of gcc are in a package of their own.
  const depends = readdirSync(archives).filter((it) => it.startsWith("libgcc-s1_"))
    .map((it) => must("dpkg-deb", ["-f", join(archives, it), "Depends"])).join()
  apt("download", /gcc-\d+-base/.exec(depends)?.[0] ?? "gcc-base")
  return readdirSync(archives).toSorted().map((it) => join(archives, it))
}
