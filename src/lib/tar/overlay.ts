/**
 * What is left of the entries of layers that are applied one over the other, in order, to one directory (image-spec,
 * layer.md): by names and types alone, so that bodies need not be held.
 */
import { type TarHeader, TarProblem } from "./header.ts"
import { partsOf } from "./name.ts"

/** Of an entry that stays; where there is a name, it is the one that the entry has to get. */
export interface Kept {
  readonly name?: string
  readonly linkname?: string
}

/** A name at work. A directory has children; without an entry of its own, it is there because of them. */
interface Node {
  readonly name: string
  readonly parent?: Node
  readonly children?: Map<string, Node>
  /** Of a symlink. */
  readonly target?: string
  entry?: number
}

interface Link {
  /** The entry that holds what it is a link to, and the one whose name it gives. */
  readonly file: number
  readonly via: number
  /** The name it gives leads through a symlink. */
  readonly isIndirect: boolean
}

export type Seen = Pick<TarHeader, "name" | "linkname" | "type">

interface Pending extends Pick<Seen, "linkname" | "type"> {
  readonly number: number
  readonly parts: ReadonlyArray<string>
}

/** Entries, and names they tell of, of all layers; their characters; characters of one name; steps through links. */
const maxEntries = 1_000_000
const maxText = 256 * 1024 ** 2
const maxName = 4096
const maxSteps = 4096

const mark = ".wh."
const opaque = ".wh..wh..opq"
const isReserved = (part: string): boolean => part.startsWith(".wh..wh.")

const asIs: Kept = {}

const pathOf = (node: Node): string => {
  const parts: Array<string> = []
  for (let it = node; it.parent !== undefined; it = it.parent) parts.push(it.name)
  return parts.toReversed().join("/")
}

/** Takes the entries of the lowest layer first. Throws a `TarProblem` beyond its limits. */
export class Overlay {
  private readonly root: Node = { name: "", children: new Map() }
  /** By the number of the entry, which counts through all layers; none for what is gone. */
  private readonly nodes: Array<Node | undefined> = []
  private readonly links = new Map<number, Link>()
  /** Entries whose names lead through a symlink. */
  private readonly indirect = new Set<number>()
  private whiteouts: Array<() => void> = []
  private pending: Array<Pending> = []
  private made = 0
  private text = 0

  /** The next entry of a layer. */
  add({ linkname, name, type }: Seen): void {
    const number = this.nodes.push(undefined) - 1
    this.text += name.length + linkname.length
    if (number >= maxEntries) throw new TarProblem(`size limit exceeded: more than ${maxEntries} entries`)
    if (this.text > maxText) throw new TarProblem("size limit exceeded: names of entries")
    if (Math.max(name.length, linkname.length) > maxName) throw new TarProblem("the name of an entry is too long")
    const parts = partsOf(name)
    const base = parts.at(-1) ?? ""
    const inside = parts.slice(0, -1)
    if (base === opaque && !inside.some(isReserved)) this.whiteouts.push(() => this.clear(inside))
    else if (parts.some(isReserved)) return
    else if (base.startsWith(mark)) this.whiteouts.push(() => this.hide([...inside, base.slice(mark.length)]))
    else this.pending.push({ number, parts, linkname, type })
  }

  /** Its whiteouts act on lower layers only, wherever they stand: they go first. */
  endLayer(): void {
    for (const whiteout of this.whiteouts) whiteout()
    for (const entry of this.pending) this.apply(entry)
    this.whiteouts = []
    this.pending = []
  }

  /** What becomes of each entry, by its number; none: it goes. */
  plan(): ReadonlyArray<Kept | undefined> {
    const plan = this.nodes.map((): Kept | undefined => undefined)
    const heirs = new Map<number, Node>()
    for (const [number, node] of this.nodes.entries()) {
      if (node === undefined) continue
      const link = this.links.get(number)
      const renamed = this.indirect.has(number) ? { name: pathOf(node) } : asIs
      if (link === undefined) {
        plan[number] = renamed
        continue
      }
      const first = this.nodes[link.file] ?? heirs.get(link.file)
      if (first === undefined) {
        // The file itself is gone: it comes under the name of its first link, in place of both.
        heirs.set(link.file, node)
        plan[link.file] = { name: pathOf(node) }
        continue
      }
      const target = this.nodes[link.via]
      const isSame = target !== undefined && !link.isIndirect
      plan[number] = isSame ? renamed : { ...renamed, linkname: pathOf(target ?? first) }
    }
    return plan
  }

  private apply({ linkname, number, parts, type }: Pending): void {
    const base = parts.at(-1)
    const isDirectory = type === "5"
    if (base === undefined) return isDirectory ? this.settle(this.root, number) : undefined
    const { isIndirect, node: parent } = this.directory(parts.slice(0, -1))
    if (isIndirect) this.indirect.add(number)
    const old = parent.children?.get(base)
    if (isDirectory && old?.children !== undefined) return this.settle(old, number)
    if (type === "1") {
      const found = this.find(partsOf(linkname))
      if (found !== undefined && found.node === old) return
      const via = found?.node.children === undefined ? found?.node.entry : undefined
      if (found !== undefined && via !== undefined) {
        this.links.set(number, { file: this.links.get(via)?.file ?? via, via, isIndirect: found.isIndirect })
      }
    }
    if (old !== undefined) this.remove(old)
    const node = this.make(parent, base, {
      ...(isDirectory ? { children: new Map() } : {}),
      ...(type === "2" ? { target: linkname } : {})
    })
    this.settle(node, number)
  }

  /** The newest entry of a name is the one that counts. */
  private settle(node: Node, number: number): void {
    if (node.entry !== undefined) this.nodes[node.entry] = undefined
    node.entry = number
    this.nodes[number] = node
  }

  private make(parent: Node, name: string, more: Pick<Node, "children" | "target">): Node {
    if (++this.made > maxEntries) throw new TarProblem(`size limit exceeded: more than ${maxEntries} names`)
    const node: Node = { name, parent, ...more }
    parent.children?.set(name, node)
    return node
  }

  private remove(top: Node): void {
    top.parent?.children?.delete(top.name)
    const rest = [top]
    for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
      if (node.entry !== undefined) this.nodes[node.entry] = undefined
      for (const child of node.children?.values() ?? []) rest.push(child)
    }
  }

  /** Whiteouts name what they hide as it is: no symlink is followed. */
  private literal(parts: ReadonlyArray<string>): Node | undefined {
    return parts.reduce<Node | undefined>((node, part) => node?.children?.get(part), this.root)
  }

  private clear(parts: ReadonlyArray<string>): void {
    for (const child of this.literal(parts)?.children?.values() ?? []) this.remove(child)
  }

  private hide(parts: ReadonlyArray<string>): void {
    const node = this.literal(parts)
    if (node !== undefined && node !== this.root) this.remove(node)
  }

  private find(parts: ReadonlyArray<string>): { readonly node: Node; readonly isIndirect: boolean } | undefined {
    const { isIndirect, node: parent } = this.walk(parts.slice(0, -1)) ?? {}
    const node = parent?.children?.get(parts.at(-1) ?? "")
    return node === undefined || isIndirect === undefined ? undefined : { node, isIndirect }
  }

  /** A directory, made where it is absent, also in place of a file. */
  private directory(parts: ReadonlyArray<string>): { readonly node: Node; readonly isIndirect: boolean } {
    const make = (parent: Node, name: string) => {
      const old = parent.children?.get(name)
      if (old !== undefined) this.remove(old)
      return this.make(parent, name, { children: new Map() })
    }
    return this.walk(parts, make) ?? { node: this.root, isIndirect: false }
  }

  /** The directory that a name leads to; symlinks on the way are followed, and none leads above the root. */
  private walk(parts: ReadonlyArray<string>, make?: (parent: Node, name: string) => Node) {
    let node = this.root
    let isIndirect = false
    let steps = 0
    const rest = parts.toReversed()
    for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
      if (++steps > maxSteps) throw new TarProblem("the name of an entry leads through too many links")
      if (part === "..") {
        node = node.parent ?? node
        continue
      }
      const child = node.children?.get(part)
      if (child?.target !== undefined) {
        isIndirect = true
        if (child.target.startsWith("/")) node = this.root
        rest.push(...child.target.split("/").filter((it) => it !== "" && it !== ".").toReversed())
      } else if (child?.children !== undefined) {
        node = child
      } else {
        if (make === undefined) return undefined
        node = make(node, part)
      }
    }
    return { node, isIndirect }
  }
}
