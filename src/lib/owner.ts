/** Who owns a lock or marker file: a process, told apart from later ones of the same number and from other machines. */
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { startupSnapshot } from "node:v8"
import { hashHex } from "./hash.ts"

export interface Owner {
  readonly pid: number
  /** Machine, boot and process name space: numbers of processes mean the same only within it. */
  readonly host: string
  /** When the process began, in the kernel's ticks; empty where the kernel does not say. */
  readonly started: string
}

const attempt = (read: () => string): string => {
  try {
    return read()
  } catch {
    return ""
  }
}

/** What the kernel says of a process, from its state on; empty where it says nothing. */
const fieldsOf = (pid: number): ReadonlyArray<string> => {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"))
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

const startOf = (pid: number): string => fieldsOf(pid)[19] ?? ""

const here = (): string =>
  [
    hostname(),
    attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    attempt(() => readlinkSync("/proc/self/ns/pid"))
  ].join("/")

let own: Owner | undefined

/** This process; who starts from a snapshot is another than the one it was made in. */
export const self = (): Owner => {
  if (own !== undefined) return own
  const found = { pid: process.pid, host: here(), started: startOf(process.pid) }
  if (!startupSnapshot.isBuildingSnapshot()) own = found
  return found
}

/** Whether the process still runs; `unknown` when it is none of this machine. */
export const stateOf = ({ host, pid, started }: Owner): "alive" | "dead" | "unknown" => {
  if (host !== self().host) return "unknown"
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (typeof error === "object" && error !== null && "code" in error && error.code === "ESRCH") return "dead"
  }
  const fields = fieldsOf(pid)
  const [state = "", now = ""] = [fields[0], fields[19]]
  // It has ended, and its parent, such as a container's first process, never asks how.
  if (state === "Z" || state === "X") return "dead"
  return started !== "" && now !== "" && now !== started ? "dead" : "alive"
}

const hostMark = (): string => hashHex("sha256", Buffer.from(self().host)).slice(0, 12)

/** This process, as a part of a name for a temporary file. */
export const ownerMark = (): string => `${hostMark()}-${self().pid}-${self().started || "0"}`

/** The same question of the owner that a name tells. */
export const stateOfMark = (mark: string): ReturnType<typeof stateOf> => {
  const [host, pid, started] = mark.split("-")
  if (host !== hostMark()) return "unknown"
  return stateOf({ host: self().host, pid: Number(pid), started: started === "0" ? "" : started ?? "" })
}

export const encodeOwner = (owner: Owner): string => `${JSON.stringify(owner)}\n`

/** `undefined` for a file that was not written to its end. */
export const decodeOwner = (text: string): Owner | undefined => {
  try {
    const { host, pid, started } = JSON.parse(text)
    return Number.isSafeInteger(pid) && pid > 0 && typeof host === "string" && typeof started === "string"
      ? { pid, host, started }
      : undefined
  } catch {
    return undefined
  }
}
