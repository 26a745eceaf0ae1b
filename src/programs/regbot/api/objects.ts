/** The objects of scripts: what they hold, how arguments become one, how one becomes a value (regbot description, 6). */
import type { LuaObject, LuaTable, LuaValue } from "../../../lib/lua/border.ts"
import { isObject } from "../../../lib/lua/border.ts"
import type { Descriptor } from "../../../schemas/Descriptor.ts"
import type { Quota } from "../../../schemas/Quota.ts"
import type { Ref } from "../../../schemas/Ref.ts"

/** A name of content; a script may change its tag or digest. */
export interface ReferenceState {
  readonly ref: Ref
}

export interface ManifestState {
  /** As it was asked for: a tag stays a tag. */
  readonly ref: Ref
  readonly descriptor: Descriptor
  /** Absent for what came by HEAD. */
  readonly body?: Uint8Array
  /** What the answer said of the pull limit. */
  readonly quota?: Quota
}

export interface ConfigState {
  readonly ref: Ref
  /** The configuration itself. */
  readonly descriptor: Descriptor
  readonly body: Uint8Array
  /** The manifest it came from. */
  readonly manifest: ManifestState
}

export interface BlobState {
  readonly ref: Ref
  readonly descriptor: Descriptor
}

export interface States {
  readonly reference: ReferenceState
  readonly manifest: ManifestState
  readonly imageconfig: ConfigState
  readonly blob: BlobState
}

export const objectOf = <K extends keyof States>(kind: K, state: States[K], data?: LuaTable): LuaObject => ({
  kind,
  state,
  ...(data === undefined ? {} : { data })
})

/** The state of an object of a kind; none for any other value. Only the host makes objects, so a kind has its state. */
export const stateOf = <K extends keyof States>(kind: K, value: LuaValue): States[K] | undefined =>
  value !== undefined && isObject(value) && value.kind === kind ? value.state as States[K] : undefined
