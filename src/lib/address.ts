/**
 * Classes of IP addresses by how near they are to this machine (faults, origins), and their many spellings:
 * dotted, decimal, octal, hexadecimal, shortened, IPv6 and IPv4 inside IPv6.
 */

export type AddressClass = "public" | "private" | "local"

const nearness: Readonly<Record<AddressClass, number>> = { public: 0, private: 1, local: 2 }

/** Whether `one` is nearer to this machine than `other`. */
export const isNearer = (one: AddressClass, other: AddressClass): boolean => nearness[one] > nearness[other]

/** The 4 or 16 bytes of an address in any spelling a resolver accepts; `undefined` for a name. */
export const parseAddress = (text: string): Uint8Array | undefined => {
  const bare = text.replace(/^\[|\]$/g, "").replace(/%.*$/, "")
  if (!/^[0-9a-fxA-FX.:]+$/.test(bare)) return undefined
  // The platform's URL parser knows every spelling of IPv4 and turns them into the dotted one.
  const parsed = URL.parse(`http://${bare.includes(":") ? `[${bare}]` : bare}/`)
  if (parsed === null) return undefined
  if (parsed.hostname.startsWith("[")) return sixteen(parsed.hostname.slice(1, -1))
  return /^\d+\.\d+\.\d+\.\d+$/.test(parsed.hostname) ? Uint8Array.from(parsed.hostname.split("."), Number) : undefined
}

/** The bytes of an IPv6 address without dotted parts, as the URL parser writes it. */
const sixteen = (text: string): Uint8Array => {
  const [head = "", tail] = text.split("::")
  const groups = (part: string) => part === "" ? [] : part.split(":")
  const left = groups(head)
  const right = groups(tail ?? "")
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0")
  return Uint8Array.from(
    [...left, ...zeros, ...right].flatMap((group) => {
      const value = Number.parseInt(group, 16)
      return [value >> 8, value & 255]
    })
  )
}

/** Whether the first `bits` bits of two addresses of one family are equal. */
export const sharesPrefix = (one: Uint8Array, other: Uint8Array, bits: number): boolean =>
  one.length === other.length && one.every((byte, at) => {
    const counted = Math.min(8, Math.max(0, bits - at * 8))
    return (byte ^ (other[at] ?? 0)) >> (8 - counted) === 0
  })

const blocks = (cidrs: ReadonlyArray<string>): ReadonlyArray<readonly [Uint8Array, number]> =>
  cidrs.map((cidr) => {
    const [address = "", bits] = cidr.split("/")
    return [parseAddress(address) ?? new Uint8Array(), Number(bits)] as const
  })

const localBlocks = blocks([
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "::/128",
  "::1/128",
  "fe80::/10",
  "fd00:ec2::254/128"
])
const privateBlocks = blocks(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"])
/** IPv4 in the last four bytes: mapped, translated (NAT64), and the withdrawn "compatible" form. */
const carriers = blocks(["::ffff:0:0/96", "64:ff9b::/96", "::/96"])

const isIn = (address: Uint8Array, list: typeof localBlocks): boolean =>
  list.some(([block, bits]) => sharesPrefix(address, block, bits))

const classOfBytes = (address: Uint8Array): AddressClass => {
  if (isIn(address, localBlocks)) return "local"
  if (address.length === 16 && isIn(address, carriers)) return classOfBytes(address.subarray(12))
  return isIn(address, privateBlocks) ? "private" : "public"
}

/** The class of an address in any spelling; `undefined` for a name. */
export const classOf = (text: string): AddressClass | undefined => {
  const address = parseAddress(text)
  return address === undefined ? undefined : classOfBytes(address)
}

/** Whether it is an address of the loopback interface. */
export const isLoopback = (text: string): boolean => {
  const address = parseAddress(text)
  if (address === undefined) return false
  return isIn(address.length === 16 && isIn(address, carriers) ? address.subarray(12) : address, loopback) ||
    isIn(address, loopback)
}

const loopback = blocks(["127.0.0.0/8", "::1/128"])
