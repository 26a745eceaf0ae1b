/** From the options of a command line to changes, in their order; values that cannot be are found here, before anything is read. */
import { Effect, type FileSystem, type Result } from "effect"
import { parseBool } from "../../lib/strconv.ts"
import { quoted } from "../../lib/visibleText.ts"
import type { Ref } from "../../schemas/Ref.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import type { Occurrence } from "../cli/dialect.ts"
import { annotation, annotationBase, annotationPromote, labelToAnnotation } from "./changes/annotations.ts"
import { buildArgRemove, buildArgRemoveRegex } from "./changes/buildArgs.ts"
import { configTime } from "./changes/configTime.ts"
import { dataMax, digestAlgorithm } from "./changes/content.ts"
import { layerAdd } from "./changes/layerAdd.ts"
import { fileTarTime, layerCompress, layerSquash, layerStrip, layerTime, reproducible } from "./changes/layerFiles.ts"
import { layerRemoveCreatedBy, layerRemoveIndex } from "./changes/layerRemove.ts"
import { externalUrlsRemove, toDocker, toOci } from "./changes/mediaTypes.ts"
import { rebase, rebaseRef } from "./changes/rebase.ts"
import { toOciReferrers } from "./changes/referrers.ts"
import {
  author,
  configCmd,
  configEntrypoint,
  configPlatform,
  env,
  exposeAdd,
  exposeRemove,
  label,
  user,
  volumeAdd,
  volumeRemove,
  workdir
} from "./changes/settings.ts"
import type { Change } from "./draft.ts"
import { parseFileTimeMax, parseTimeMax, parseTimeOptions, type TimeOptions } from "./time.ts"

/** A file that a value names is opened at once. */
type Made = Effect.Effect<Change | ReadonlyArray<Change>, UsageError, FileSystem.FileSystem>
type Make = (value: string, source: Ref) => Made

const plain = (make: (value: string, source: Ref) => Change): Make => (value, source) =>
  Effect.succeed(make(value, source))

/** An option that is on or off. */
const when = (make: (source: Ref) => Made): Make => (value, source) => {
  const read = parseBool(value)
  if ("problem" in read) return new UsageError({ message: `unable to parse value ${value}: ${read.problem}` })
  return read.value ? make(source) : Effect.succeed([])
}

const always = (change: Change): Make => when(() => Effect.succeed(change))

type ReadTime = (text: string) => Result.Result<TimeOptions, UsageError>

const timed = (read: ReadTime, make: (options: TimeOptions) => Made): Make => (value) =>
  Effect.flatMap(Effect.fromResult(read(value)), make)

const both = (options: TimeOptions): Made => Effect.all([configTime(options), layerTime(options)])
const fileOptions: ReadTime = (text) => parseTimeOptions(text, { hasFilename: true })
const timeOptions: ReadTime = (text) => parseTimeOptions(text)

const switches: Readonly<Record<string, Make>> = {
  "annotation-promote": always(annotationPromote),
  "external-urls-rm": always(externalUrlsRemove),
  "label-to-annotation": always(labelToAnnotation),
  "layer-squash": always(layerSquash),
  rebase: when(() => rebase()),
  reproducible: when(() => reproducible()),
  "to-docker": when((source) => Effect.succeed(toDocker(source))),
  "to-oci": always(toOci),
  "to-oci-referrers": always(toOciReferrers)
}

const options: Readonly<Record<string, Make>> = {
  ...switches,
  annotation,
  "annotation-base": annotationBase,
  author: plain(author),
  "buildarg-rm": buildArgRemove,
  "buildarg-rm-regex": buildArgRemoveRegex,
  "config-cmd": plain(configCmd),
  "config-entrypoint": plain(configEntrypoint),
  "config-platform": configPlatform,
  "config-time": timed(timeOptions, configTime),
  "config-time-max": timed(parseTimeMax, configTime),
  "data-max": dataMax,
  "digest-algo": plain(digestAlgorithm),
  env,
  "expose-add": plain(exposeAdd),
  "expose-rm": plain(exposeRemove),
  "file-tar-time": timed(fileOptions, fileTarTime),
  "file-tar-time-max": timed(parseFileTimeMax, fileTarTime),
  label,
  "layer-add": layerAdd,
  "layer-compress": layerCompress,
  "layer-rm-created-by": layerRemoveCreatedBy,
  "layer-rm-index": layerRemoveIndex,
  "layer-strip-file": layerStrip,
  "layer-time": timed(timeOptions, layerTime),
  "layer-time-max": timed(parseTimeMax, layerTime),
  "rebase-ref": rebaseRef,
  time: timed(timeOptions, both),
  "time-max": timed(parseTimeMax, both),
  user,
  "volume-add": plain(volumeAdd),
  "volume-rm": plain(volumeRemove),
  workdir
}

/** Whether a change has this name: one with a value, or one that is on or off; `undefined` when none has. */
export const kindOf = (name: string): "value" | "switch" | undefined =>
  Object.hasOwn(switches, name) ? "switch" : Object.hasOwn(options, name) ? "value" : undefined

/** Fails with `invalid argument "<value>" for "--<flag>" flag: <reason>` (regctl description, 1.3). */
export const parseChanges = (
  occurrences: ReadonlyArray<Occurrence>,
  source: Ref
): Effect.Effect<ReadonlyArray<Change>, UsageError, FileSystem.FileSystem> =>
  Effect.map(
    Effect.forEach(occurrences, ([name, value]) => {
      const make = Object.hasOwn(options, name) ? options[name] : undefined
      if (make === undefined) return Effect.succeed([])
      return Effect.mapError(
        make(value, source),
        ({ message }) =>
          new UsageError({ message: `invalid argument ${quoted(value)} for "--${name}" flag: ${message}` })
      )
    }),
    (made) => made.flat()
  )
