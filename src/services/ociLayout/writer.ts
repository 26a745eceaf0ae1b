/** One that writes a layout: its marker keeps other processes from sweeping meanwhile, and tells what a dead one left. */
import { Effect } from "effect"
import { encodeOwner, self } from "../../lib/owner.ts"
import type { Digest } from "../../schemas/Digest.ts"
import { type StoreError, storeError, within } from "../../schemas/StoreError.ts"
import { emptyIndex, layoutFile } from "./documents.ts"
import { createWhole, heartbeat, randomName, removeTakeovers, temporaryPrefix, writerPrefix, writers } from "./lock.ts"
import { keepPart } from "./parts.ts"
import { check, exclusively, folderOf, indexOf, type LayoutState, pathOf, temporaryIn, writeIndex } from "./state.ts"

/**
 * Says that this program writes here: makes the layout if there is none, puts the marker, removes what dead writers
 * left. Content that was found before must still be there, else fails with `NotFound` (faults D5).
 */
export const announce = (state: LayoutState, wantsSweep: boolean): Effect.Effect<void, StoreError> =>
  Effect.suspend(() => {
    if (wantsSweep) state.wantsSweep = true
    else state.wantsNoSweep = true
    return mostOnce(state)
  })

/** The same before anything was written, so that what is found stays. A layout that is not there is not made for it. */
export const announceAtOnce = Effect.fnUntraced(function*(state: LayoutState) {
  if ((yield* state.disk.infoOfName(`${state.dir}/index.json`)) !== undefined) yield* mostOnce(state)
})

const mostOnce = (state: LayoutState): Effect.Effect<void, StoreError> =>
  Effect.suspend(() =>
    state.isAnnounced ? Effect.void : state.announcing.withPermit(
      Effect.suspend(() => state.isAnnounced ? Effect.void : begin(state))
    )
  )

const begin = Effect.fnUntraced(function*(state: LayoutState) {
  const { dir, disk } = state
  const grown = yield* Effect.mapError(disk.makeDirectory(dir), within(`failed creating ${dir}`))
  for (const parent of grown) yield* disk.sync(parent)
  yield* exclusively(state)(Effect.uninterruptible(Effect.gen(function*() {
    const hasLayout = (yield* disk.infoOfName(`${dir}/oci-layout`)) !== undefined
    const hasIndex = (yield* disk.infoOfName(`${dir}/index.json`)) !== undefined
    // Only a start that was cut off leaves the first file without the second.
    if (hasIndex) yield* indexOf(state)
    else if (hasLayout) yield* check(state)
    const writing = yield* mark(state)
    state.writing = writing
    yield* Effect.gen(function*() {
      if (!hasLayout) yield* disk.replace(`${dir}/oci-layout`, temporaryIn(state, dir), layoutFile)
      if (!hasIndex) yield* writeIndex(state, emptyIndex)
      yield* confirm(state)
      for (const name of (yield* writers(disk, dir)).dead) {
        state.place.swept = undefined // its blobs may have no name yet
        yield* bury(state, name)
      }
      yield* removeTakeovers(disk, dir)
    }).pipe(Effect.onError(() => Effect.ignore(unmark(state)))) // the first failure is the one to tell
    yield* Effect.forkIn(heartbeat(disk, `${dir}/${writerPrefix}${writing.name}`), state.scope)
    state.isAnnounced = true
  })))
})

const mark = Effect.fnUntraced(function*({ dir, disk }: LayoutState) {
  for (;;) {
    const name = yield* randomName
    const path = `${dir}/${writerPrefix}${name}`
    if (!(yield* createWhole(disk, dir, `${writerPrefix}${name}`, encodeOwner(self())))) continue
    return { name, began: (yield* disk.infoOfName(path))?.changed ?? 0n }
  }
})

/** Takes the marker away. */
export const unmark = Effect.fnUntraced(function*(state: LayoutState) {
  const { writing } = state
  state.isAnnounced = false
  state.writing = undefined
  if (writing !== undefined) yield* state.disk.remove(`${state.dir}/${writerPrefix}${writing.name}`)
})

const confirm = Effect.fnUntraced(function*(state: LayoutState) {
  const gone: Array<Digest> = []
  for (const digest of state.found) {
    if ((yield* state.disk.info(pathOf(state, digest))) === undefined) gone.push(digest)
  }
  state.found.clear()
  if (gone.length > 0) {
    const detail = `not found: ${gone[0]} was removed by another process meanwhile, run again`
    return yield* storeError(`write ${state.dir}`, "NotFound", detail)
  }
})

/** Removes the temporary files of a dead writer but parts of large blobs, then its marker (faults L12). What it named may not be durable yet. */
const bury = Effect.fnUntraced(function*({ dir, disk, unsynced }: LayoutState, name: string) {
  const folders = (yield* disk.list(`${dir}/blobs`)).map((folder) => `${dir}/blobs/${folder}`)
  for (const folder of [dir, `${dir}/blobs`, ...folders]) {
    if ((yield* disk.infoOfName(folder))?.kind !== "directory") continue
    unsynced.add(folder)
    for (const file of yield* disk.list(folder)) {
      if (file.startsWith(`${temporaryPrefix}${name}-`)) yield* keepPart(disk, folder, file)
    }
  }
  yield* disk.remove(`${dir}/${writerPrefix}${name}`)
})

/** Content was found here: from now on it has to stay, or the writer is told. */
export const noteFound = (state: LayoutState, digest: Digest): void => {
  if (state.writing === undefined) state.found.add(digest)
  state.unsynced.add(folderOf(state, digest))
}
