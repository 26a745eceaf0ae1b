/** The answers used last, so many of them at most: the one that was not used for longest goes first. */
export class Recent<A> {
  private readonly kept = new Map<string, A>()
  private readonly count: number

  constructor(count: number) {
    this.count = count
  }

  /** Counts as a use. */
  get(key: string): A | undefined {
    const found = this.kept.get(key)
    if (found !== undefined) this.set(key, found)
    return found
  }

  set(key: string, answer: A): void {
    this.kept.delete(key)
    this.kept.set(key, answer)
    const [oldest] = this.kept.keys()
    if (this.kept.size > this.count && oldest !== undefined) this.kept.delete(oldest)
  }

  drop(isMeant: (key: string) => boolean): void {
    for (const key of this.kept.keys()) if (isMeant(key)) this.kept.delete(key)
  }
}
