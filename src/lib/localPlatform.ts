/** The machine this runs on, in Go's names: operating system, architecture, and the variant its CPU is good for. */
import { readFileSync } from "node:fs"
import { arch, release } from "node:os"

const systems: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" }
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  ppc64: "ppc64le",
  mips: "mips",
  mipsel: "mipsle"
}

/** Flags of `/proc/cpuinfo` that make up each level of x86-64 above the first. */
const levels: ReadonlyArray<ReadonlyArray<string>> = [
  ["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"],
  ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
  ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]
]

/** `v1` to `v4` by the flags of the first processor. */
export const amd64Variant = (cpuinfo: string): string => {
  const flags = new Set((/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? "").trim().split(/\s+/))
  const missing = levels.findIndex((level) => !level.every((flag) => flags.has(flag)))
  return `v${missing < 0 ? levels.length + 1 : missing + 1}`
}

/** `v5` to `v8` by the architecture line of the first processor. */
const armVariant = (cpuinfo: string): string => {
  const level = /^CPU architecture\s*:\s*(\S+)/m.exec(cpuinfo)?.[1] ?? "7"
  return level === "AArch64" ? "v8" : `v${Number.parseInt(level, 10) || 7}`
}

const cpuinfo = (): string => {
  try {
    return readFileSync("/proc/cpuinfo", "utf8")
  } catch {
    return ""
  }
}

export interface LocalPlatform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly "os.version"?: string
}

export const localPlatform = (): LocalPlatform => {
  const os = systems[process.platform] ?? process.platform
  const architecture = architectures[arch()] ?? arch()
  const version = os === "windows" ? { "os.version": release() } : {}
  switch (architecture) {
    case "amd64": {
      const variant = amd64Variant(cpuinfo())
      return { os, architecture, ...(variant === "v1" ? {} : { variant }), ...version }
    }
    case "arm":
      return { os, architecture, variant: os === "linux" ? armVariant(cpuinfo()) : "v7", ...version }
    default:
      return { os, architecture, ...version }
  }
}
