/** Scopes of tokens, `repository:library/alpine:pull,push`: merged per resource, in a stable order. */

/** Actions by resource, such as `repository:library/alpine`. */
export type Scopes = ReadonlyMap<string, ReadonlySet<string>>

const order: ReadonlyArray<string> = ["pull", "push", "delete", "*"]

/** What one request needs: of its own repository by its method, of others as told, of the catalog everything. */
export const requestScopes = (request: {
  readonly method: string
  readonly repository?: string | undefined
  readonly path: string
  readonly scopes?: Readonly<Record<string, string>> | undefined
}): Scopes => {
  const scopes = new Map<string, ReadonlySet<string>>()
  if (request.repository !== undefined) scopes.set(`repository:${request.repository}`, actionsOf(request.method))
  else if (request.path.startsWith("_catalog")) scopes.set("registry:catalog", everything)
  for (const [repository, actions] of Object.entries(request.scopes ?? {})) {
    const resource = `repository:${repository}`
    scopes.set(resource, new Set([...(scopes.get(resource) ?? []), ...actions.split(",")]))
  }
  return scopes
}

const everything = new Set(["*"])

const [reads, writes, deletions] = [new Set(["pull"]), new Set(["pull", "push"]), new Set(["pull", "push", "delete"])]

const actionsOf = (method: string): ReadonlySet<string> =>
  method === "GET" || method === "HEAD" ? reads : method === "DELETE" ? deletions : writes

/** Texts without the form `type:name:actions` are passed over: a token for Gitea's `*` would be worth nothing. */
export const parseScopes = (texts: ReadonlyArray<string>): Scopes => {
  const scopes = new Map<string, Set<string>>()
  for (const text of texts.flatMap((it) => it.split(" "))) {
    const end = text.lastIndexOf(":")
    const resource = text.slice(0, Math.max(end, 0))
    if (!/^[a-z]+(?:\([a-z]+\))?:./.test(resource)) continue
    const actions = scopes.get(resource) ?? new Set()
    for (const action of text.slice(end + 1).split(",")) if (action !== "") actions.add(action)
    if (actions.size > 0) scopes.set(resource, actions)
  }
  return scopes
}

/** All of both, the resources of the first before those of the second: some servers read only the first. */
export const mergeScopes = (first: Scopes, second: Scopes): Scopes => {
  const merged = new Map([...first].map(([resource, actions]) => [resource, new Set(actions)]))
  for (const [resource, actions] of second) {
    merged.set(resource, new Set([...(merged.get(resource) ?? []), ...actions]))
  }
  return merged
}

export const scopeTexts = (scopes: Scopes): ReadonlyArray<string> =>
  [...scopes].map(([resource, actions]) => `${resource}:${sorted(actions).join(",")}`)

const sorted = (actions: ReadonlySet<string>): ReadonlyArray<string> =>
  [...actions].sort((a, b) => order.indexOf(a) - order.indexOf(b))

/** Names a set of scopes whatever the order of its resources. */
export const scopeKey = (scopes: Scopes): string => [...scopeTexts(scopes)].sort().join(" ")

export const covers = (have: Scopes, need: Scopes): boolean =>
  [...need].every(([resource, actions]) => [...actions].every((it) => have.get(resource)?.has(it) === true))

/** For services that refuse the action `delete`: Docker Hub's old `*`, then Quay's `push`. */
export const deleteFallbacks = (scopes: Scopes): ReadonlyArray<Scopes> =>
  [...scopes.values()].some((it) => it.has("delete"))
    ? [replaceDelete(scopes, () => ["*"]), replaceDelete(scopes, (actions) => actions.filter((it) => it !== "delete"))]
    : []

const replaceDelete = (
  scopes: Scopes,
  actionsOf: (actions: ReadonlyArray<string>) => ReadonlyArray<string>
): Scopes =>
  new Map([...scopes].map(([resource, actions]) => [
    resource,
    actions.has("delete") ? new Set(actionsOf([...actions])) : actions
  ]))
