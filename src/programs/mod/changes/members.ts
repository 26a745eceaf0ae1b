/** Edits of maps and lists that give back the same one when nothing changes. */

type Members<A> = Readonly<Record<string, A>>

/** Sets a member, or deletes it where the value is `undefined`. */
export const withMember = <A>(members: Members<A>, name: string, value: A | undefined): Members<A> => {
  const known = Object.hasOwn(members, name)
  if (value === undefined ? !known : known && members[name] === value) return members
  const rest = Object.entries(members).filter(([it]) => it !== name)
  return Object.fromEntries(value === undefined ? rest : [...rest, [name, value]])
}

/** Sets many members at once: those that change go behind the others. */
export const withMembers = <A>(members: Members<A>, added: Iterable<readonly [name: string, value: A]>): Members<A> => {
  const changed = new Map(
    [...added].filter(([name, value]) => !Object.hasOwn(members, name) || members[name] !== value)
  )
  if (changed.size === 0) return members
  return Object.fromEntries([...Object.entries(members).filter(([name]) => !changed.has(name)), ...changed])
}

/** Adds an empty object under a name, or deletes the name: how configurations write sets. */
export const withName = (
  names: Members<unknown> | null | undefined,
  name: string,
  isThere: boolean
): Members<unknown> => {
  const known = names ?? {}
  if (Object.hasOwn(known, name) === isThere) return known
  return withMember(known, name, isThere ? {} : undefined)
}
