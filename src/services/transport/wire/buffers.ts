/**
 * Read buffers, lent and taken back: one socket reads into the same memory for as long as it lives. Touches the
 * platform: Buffer.
 */

/** Memory that a connection reads into, in use while it does or a view of it is out. */
export interface Area {
  readonly bytes: Buffer
  users: number
}

/** For heads and small bodies, and for bodies that go on. */
const sizes = { small: 32 * 1024, large: 1024 * 1024 }

/** Free areas kept: what more is given back is left to the collector. */
const mostKept = { small: 64, large: 16 }

export type AreaSize = keyof typeof sizes

export class Buffers {
  readonly #free: Record<AreaSize, Array<Area>> = { small: [], large: [] }

  take(size: AreaSize): Area {
    const area = this.#free[size].pop() ?? { bytes: Buffer.allocUnsafeSlow(sizes[size]), users: 0 }
    area.users = 1
    return area
  }

  /** One user less; the last makes it free. */
  giveBack(area: Area): void {
    if (--area.users > 0) return
    const size: AreaSize = area.bytes.length === sizes.small ? "small" : "large"
    if (this.#free[size].length < mostKept[size]) this.#free[size].push(area)
  }
}
