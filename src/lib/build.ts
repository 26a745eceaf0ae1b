/** What was known when the tools were bundled, and the names Go gives to this platform. */

declare const REGCLIENT_BUILD: Partial<Build> | undefined

export interface Build {
  readonly tag: string
  readonly commit: string
  readonly state: string
  /** Of the commit, RFC 3339, UTC. */
  readonly date: string
}

const recorded: Partial<Build> = typeof REGCLIENT_BUILD === "undefined" ? {} : REGCLIENT_BUILD

export const build: Build = {
  tag: recorded.tag ?? "",
  commit: recorded.commit ?? "unknown",
  state: recorded.state ?? "unknown",
  date: recorded.date ?? "unknown"
}

const systems: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" }
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
  ppc64: "ppc64le"
}

/** `linux/amd64`. */
export const platform = `${systems[process.platform] ?? process.platform}/${
  architectures[process.arch] ?? process.arch
}`

export const runtime = `node ${process.version}`
