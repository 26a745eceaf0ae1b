/** Platforms as texts, and which content suits which machine (library description, section 2; image-spec, image-index.md). */
import { Data, Result } from "effect"
import type { Platform } from "./Descriptor.ts"

export class PlatformError extends Data.TaggedError("PlatformError")<{ readonly message: string }> {}

const architectures = new Set(
  "386 amd64 i386 x86_64 x86-64 arm armhf armel arm64 aarch64 mips mips64 mips64le ppc ppc64 ppc64le loong64 riscv riscv64 s390 s390x sparc sparc64 wasm"
    .split(" ")
)

type Alias = { readonly architecture: string; readonly variant: string }

const aliases: Readonly<Record<string, Alias>> = {
  i386: { architecture: "386", variant: "" },
  x86_64: { architecture: "amd64", variant: "" },
  "x86-64": { architecture: "amd64", variant: "" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" }
}

/** The one spelling of a platform: `macos` is `darwin`, `aarch64` is `arm64`, `arm` alone is `arm/v7`. */
const normalise = (platform: Platform): Platform => {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase()
  const given = platform.architecture.toLowerCase()
  const alias = aliases[given]
  const architecture = alias?.architecture ?? (given === "aarch64" ? "arm64" : given)
  const variant = canonicalVariant(architecture, alias?.variant ?? (platform.variant ?? "").toLowerCase())
  const { variant: _, ...rest } = platform
  return { ...rest, os, architecture, ...(variant === "" ? {} : { variant }) }
}

const canonicalVariant = (architecture: string, variant: string): string => {
  switch (architecture) {
    case "amd64":
      return variant === "v1" ? "" : variant
    case "arm64":
      return variant === "8" || variant === "v8" ? "" : variant
    case "arm":
      if (variant === "" || variant === "7") return "v7"
      return /^[568]$/.test(variant) ? `v${variant}` : variant
    case "386":
      return ""
    default:
      return variant
  }
}

/** `os/arch[/variant]` in its one spelling; without a system `unknown`. */
export const platformText = (platform: Platform): string => {
  if (platform.os === "") return "unknown"
  const { architecture, os, variant } = normalise(platform)
  return [os, architecture, variant ?? ""].filter((part, at) => part !== "" || at === 0).join("/")
}

/** Reads `os[/arch[/variant]][,osver=VERSION]`; `local` is this machine. */
export const parsePlatform = (text: string, local: Platform): Result.Result<Platform, PlatformError> => {
  const [name = "", ...settings] = text.split(",")
  const parts = name.split("/")
  const bad = parts.find((part) => !/^[A-Za-z0-9_-]+$/.test(part))
  if (bad !== undefined || parts.length > 3) {
    return Result.fail(new PlatformError({ message: `invalid platform component ${bad ?? parts[3]} in ${text}` }))
  }
  if (text.toLowerCase() === "local") return Result.succeed(local)
  const version = versionOf(settings, text)
  return Result.map(
    version,
    (found) => normalise({ ...completed(parts.map((it) => it.toLowerCase()), local), ...found })
  )
}

const versionOf = (
  settings: ReadonlyArray<string>,
  text: string
): Result.Result<{ readonly "os.version"?: string }, PlatformError> => {
  const pairs = settings.map((it) => it.split("=")).filter(([key]) => key !== undefined && key !== "")
  const unknown = pairs.find(([key]) => key !== "osver" && key !== "osversion")
  if (unknown !== undefined) {
    return Result.fail(new PlatformError({ message: `unsupported platform arg type, ${unknown[0]} in ${text}` }))
  }
  const last = pairs.at(-1)
  return Result.succeed(last === undefined ? {} : { "os.version": last.slice(1).join("=") })
}

/** Fills in from the local machine what a short text leaves out. */
const completed = ([first = "", architecture, variant]: ReadonlyArray<string>, local: Platform): Platform => {
  if (architecture === undefined && architectures.has(first)) return { os: local.os, architecture: first }
  const os = first === "local" ? local.os : first === "macos" ? "darwin" : first
  if (architecture !== undefined) return { os, architecture, ...(variant === undefined ? {} : { variant }) }
  const isRunnable = os === local.os || (os === "linux" && (local.os === "darwin" || local.os === "windows"))
  if (!isRunnable || !["linux", "darwin", "windows"].includes(os)) return { os, architecture: "" }
  return {
    os,
    architecture: local.architecture,
    ...(local.variant === undefined ? {} : { variant: local.variant }),
    ...(os === "windows" && local["os.version"] !== undefined ? { "os.version": local["os.version"] } : {})
  }
}

const isPlain = (os: string) => os === "linux" || os === "freebsd"
const windowsBuild = (version = "") => version.split(".").slice(0, 3).join(".")
const sameVariant = (a: Platform, b: Platform) => (a.variant ?? "") === (b.variant ?? "")
const isEqual = (a: Platform, b: Platform) =>
  a.os === b.os && a.architecture === b.architecture && sameVariant(a, b) &&
  (a["os.version"] ?? "") === (b["os.version"] ?? "") &&
  (a["os.features"] ?? []).join() === (b["os.features"] ?? []).join() &&
  (a.features ?? []).join() === (b.features ?? []).join()

/** Whether two platforms are the same one. */
export const isPlatformMatch = (left: Platform, right: Platform): boolean => {
  const [a, b] = [normalise(left), normalise(right)]
  if (a.os !== b.os || a.architecture !== b.architecture || !sameVariant(a, b)) return false
  if (isPlain(a.os)) return true
  if (a.os === "windows") return windowsBuild(a["os.version"]) === windowsBuild(b["os.version"])
  return isEqual(a, b)
}

const level = (variant = ""): number => {
  const value = Number(variant.replace(/^v/, ""))
  return Number.isInteger(value) ? value : 0
}

const isVariantOk = (host: Platform, target: Platform): boolean => {
  const [have, need] = [level(host.variant), level(target.variant)]
  return have >= need || ((host.variant ?? "") === "" && need === 1) || (have === 1 && (target.variant ?? "") === "")
}

/** Whether content for `target` runs on `host`. */
export const isCompatible = (hostGiven: Platform, targetGiven: Platform): boolean => {
  const [host, target] = [normalise(hostGiven), normalise(targetGiven)]
  const isSameArch = host.architecture === target.architecture && isVariantOk(host, target)
  if (isPlain(host.os)) return host.os === target.os && isSameArch
  if (host.os === "windows") {
    if (target.os === "linux") return isSameArch
    const version = windowsBuild(host["os.version"])
    return target.os === "windows" && isSameArch && (version === "" || version === windowsBuild(target["os.version"]))
  }
  if (host.os === "darwin") return (target.os === "darwin" || target.os === "linux") && isSameArch
  return isEqual(host, target)
}

/** Compares dotted numbers. */
const compareVersions = (a = "", b = ""): number => {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] || 0) - (right[at] || 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** Positive when `target` suits the host better than `previous`; both are compatible. */
const compareFit = (host: Platform, target: Platform, previous: Platform): number => {
  const prefer = (test: (it: Platform) => boolean) => Number(test(target)) - Number(test(previous))
  return prefer((it) => it.os === host.os) ||
    prefer((it) => it.architecture === host.architecture) ||
    prefer((it) => sameVariant(it, host)) ||
    level(target.variant) - level(previous.variant) ||
    prefer((it) => it["os.version"] === host["os.version"]) ||
    compareVersions(target["os.version"], previous["os.version"])
}

/** The entry of an index that suits a platform best; the first among equals. Entries without a platform never do. */
export const bestMatch = <E extends { readonly platform?: Platform }>(
  entries: ReadonlyArray<E>,
  wanted: Platform
): E | undefined => {
  const host = normalise(wanted)
  let best: { readonly entry: E; readonly platform: Platform } | undefined
  for (const entry of entries) {
    if (entry.platform === undefined || !isCompatible(host, entry.platform)) continue
    const platform = normalise(entry.platform)
    if (best === undefined || compareFit(host, platform, best.platform) > 0) best = { entry, platform }
  }
  return best?.entry
}
