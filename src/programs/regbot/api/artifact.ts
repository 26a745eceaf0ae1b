/**
 * `artifact.get`, `artifact.list`, `artifact.put`, `artifact.tree`: what `regctl artifact` does, by
 * `f(reference [, options])`, or by `f{reference, …}` with all in one table.
 */
import { Effect, type FileSystem, type Path } from "effect"
import { type HostAnswer, isTable, type LuaTable, type LuaValue, recordOf, tableOf } from "../../../lib/lua/border.ts"
import { computeDigest } from "../../../schemas/computeDigest.ts"
import { mediaTypes } from "../../../schemas/MediaType.ts"
import { platformText } from "../../../schemas/Platform.ts"
import { commonName } from "../../../schemas/Ref.ts"
import { storeError } from "../../../schemas/StoreError.ts"
import { collect, fromBytes } from "../../../services/Bytes.ts"
import type { HostFunction, Library } from "../../../services/LuaEngine.ts"
import type { Repositories } from "../../../services/Repositories.ts"
import { getArtifact } from "../../artifact/get.ts"
import { listArtifacts } from "../../artifact/list.ts"
import { putArtifact } from "../../artifact/put.ts"
import { wantedOf } from "../../graph/referrers.ts"
import { type TreeNode, walkTree } from "../../graph/tree.ts"
import { openRef } from "../../open.ts"
import { ScriptRun } from "../ScriptRun.ts"
import { refArgument, wrongArgument } from "./arguments.ts"
import { failed, mayUseFiles, nothing } from "./failures.ts"
import { debug, infoOfWrite } from "./logged.ts"
import { type OptionKinds, type Options, optionsOf } from "./options.ts"
import { descriptorTable } from "./records.ts"

type Needs = FileSystem.FileSystem | Path.Path | Repositories | ScriptRun

/** Bytes of content that a script is given, unless it names a limit. */
const contentLimit = 4 * 1024 * 1024

const filters = { filterAnnotation: "texts", filterArtifactType: "text", slowReferrers: "flag" } as const
const order = { latest: "flag", sortAnnotation: "text", sortDesc: "flag" } as const
const common = { external: "ref", platform: "text" } as const
const listOptions = { ...filters, ...order, ...common, digestTags: "flag" } as const
const treeOptions = { ...filters, external: "ref", digestTags: "flag" } as const
const getOptions = {
  ...filters,
  ...order,
  ...common,
  config: "flag",
  configFile: "text",
  file: "texts",
  fileMediaType: "texts",
  limit: "number",
  output: "text",
  stripDirs: "flag",
  subject: "ref"
} as const
const putOptions = {
  ...common,
  annotation: "texts",
  artifactType: "text",
  byDigest: "flag",
  configFile: "text",
  configType: "text",
  content: "bytes",
  file: "texts",
  fileMediaType: "texts",
  fileTitle: "flag",
  index: "flag",
  stripDirs: "flag",
  subject: "ref"
} as const

interface Request<K extends OptionKinds> {
  readonly options: Options<K>
  /** The reference, as a command would be given it; none where a subject takes its place. */
  readonly args: ReadonlyArray<string>
  /** Whom the request is about, for messages. */
  readonly name: string
}

const request = Effect.fnUntraced(function*<K extends OptionKinds>(kinds: K, values: ReadonlyArray<LuaValue>) {
  const [first] = values
  const isOneTable = isTable(first)
  const [reference, table, n] = isOneTable ? [first.list[0], named(first), 1] : [first, values[1], 2]
  const options = yield* optionsOf(kinds, table, n)
  const subject = "subject" in options ? String(options["subject"]) : ""
  const ref = reference === undefined && subject !== "" ? undefined : yield* refArgument(reference, 1)
  const name = ref === undefined ? subject : commonName(ref)
  const asked: Request<K> = { options, args: ref === undefined ? [] : [name], name }
  return asked
})

const named = ({ fields }: LuaTable): LuaTable => ({ list: [], fields })

const list: HostFunction<Needs> = {
  run: (...values) =>
    Effect.gen(function*() {
      const { args, name, options } = yield* request(listOptions, values)
      yield* debug("List artifacts", { image: name })
      const { found, tagged } = yield* Effect.mapError(
        listArtifacts({ ...options, args }),
        failed(`Failed listing artifacts of "${name}"`)
      )
      const descriptors = [...found.descriptors, ...tagged.map(({ descriptor }) => descriptor)]
      return { values: [tableOf(descriptors.map(descriptorTable))] }
    }).pipe(Effect.scoped)
}

/** The content asked for and its descriptor; nothing where all of it went to files. */
const get: HostFunction<Needs> = {
  run: (...values) =>
    Effect.gen(function*() {
      const { args, name, options } = yield* request(getOptions, values)
      if (options.output !== "" || options.configFile !== "") yield* mayUseFiles("artifact.get into files")
      yield* debug("Retrieve artifact", { image: name })
      const limit = options.limit > 0 ? options.limit : contentLimit
      const content = Effect.gen(function*() {
        const found = yield* getArtifact({ ...options, refers: "", args })
        if (found === undefined) return nothing
        const { bytes, descriptor } = found
        if (descriptor.size > limit) {
          return yield* storeError("", "SizeLimit", `size limit exceeded: more than ${limit} bytes`)
        }
        const whole = collect(bytes, limit)
        // Given to the script only when it fits its digest (faults C01).
        const read = yield* Effect.catchReason(whole, "StoreError", "DigestMismatch", () => whole)
        const answer: HostAnswer = { values: [new Uint8Array(read), descriptorTable(descriptor)] }
        return answer
      })
      return yield* Effect.mapError(content, failed(`Failed retrieving artifact "${name}"`))
    }).pipe(Effect.scoped)
}

/** The descriptor of what was pushed. */
const put: HostFunction<Needs> = {
  run: (...values) =>
    Effect.gen(function*() {
      const { args, name, options } = yield* request(putOptions, values)
      const { content, file, configFile } = options
      if (file.length > 0 || configFile !== "") yield* mayUseFiles("artifact.put of files")
      if ((content === undefined) === (file.length === 0)) {
        return yield* Effect.fail(wrongArgument(isTable(values[0]) ? 1 : 2, "either content or file expected"))
      }
      const { close } = yield* ScriptRun
      yield* infoOfWrite("Put artifact", { image: name, subject: options.subject })
      const { manifest, target } = yield* putArtifact(
        { ...options, mediaType: mediaTypes.ociManifest, refers: "", args },
        (mediaType) => Effect.succeed(contentOf(content ?? new Uint8Array(), mediaType))
      ).pipe(
        Effect.scoped,
        Effect.mapError(failed(`Failed to put artifact "${name}"`))
      )
      yield* close(target)
      const { annotations, artifactType, descriptor } = manifest
      const told = { ...descriptor, annotations, ...(artifactType === undefined ? {} : { artifactType }) }
      return { values: [descriptorTable(told)] }
    })
}

const contentOf = (bytes: Uint8Array, mediaType: string) => ({
  bytes: fromBytes(bytes),
  descriptor: { mediaType, digest: computeDigest("sha256", bytes), size: bytes.length }
})

const tree: HostFunction<Needs> = {
  run: (...values) =>
    Effect.gen(function*() {
      const { args: [reference], name, options } = yield* request(treeOptions, values)
      yield* debug("Retrieve artifact tree", { image: name })
      const { digestTags, external } = options
      const walked = Effect.gen(function*() {
        const wanted = yield* wantedOf(options)
        const root = yield* openRef(reference)
        const place = external === "" ? {} : { external: yield* openRef(external) }
        const { failure, node } = yield* walkTree(root, { wanted, digestTags, ...place })
        return failure === undefined ? node : yield* failure
      })
      const node = yield* Effect.mapError(walked, failed(`Failed retrieving the tree of "${name}"`))
      return { values: [node === undefined ? undefined : nodeTable(node)] }
    }).pipe(Effect.scoped)
}

const nodeTable = (node: TreeNode): LuaTable => {
  const { artifactType = node.manifest?.artifactType, children, digest, manifest, platform, ref, referrers } = node
  return recordOf({
    reference: commonName(ref),
    digest,
    mediaType: manifest?.descriptor.mediaType,
    size: manifest?.descriptor.size,
    artifactType,
    platform: platform === undefined ? undefined : platformText(platform),
    annotations: recordOf({ ...manifest?.annotations }),
    children: tableOf(children.map(nodeTable)),
    referrers: tableOf(referrers.map(nodeTable))
  })
}

export const artifact: Library<Needs> = { functions: { get, list, put, tree } }
