/** The header of a tar entry as templates see it: Go's `tar.Header` (command description, 6.7). */
import { Nil, Struct } from "../../lib/gotemplate/value.ts"
import { type GoTime, zeroTime } from "../../lib/goTime.ts"
import { timeView } from "../../lib/goTimeView.ts"
import type { TarHeader } from "../../lib/tar/header.ts"

const time = (nanos: bigint | undefined): Struct => {
  const it: GoTime = nanos === undefined ? zeroTime : { nanos, offset: 0, zone: "UTC" }
  return timeView(it)
}

const map = (entries: ReadonlyArray<readonly [string, string]>): ReadonlyMap<string, string> | Nil =>
  entries.length === 0 ? new Nil("map", "map[string]string") : new Map(entries)

const formats: Readonly<Record<TarHeader["format"], readonly [number: number, name: string]>> = {
  v7: [0, "<unknown>"],
  ustar: [2, "USTAR"],
  pax: [4, "PAX"],
  gnu: [8, "GNU"]
}

const attribute = "SCHILY.xattr."

const formatView = (format: TarHeader["format"]): Struct => {
  const [number, name] = formats[format]
  return new Struct("tar.Format", {}, {
    number,
    string: () => name,
    json: () => String(number),
    methods: { String: () => name }
  })
}

/** `size` is that of the file as it unpacks. */
export const tarHeaderView = (header: TarHeader, size: number): Struct => {
  const records = [...header.pax]
  return new Struct("tar.Header", {
    Typeflag: header.type.charCodeAt(0),
    Name: header.name,
    Linkname: header.linkname,
    Size: size,
    Mode: header.mode,
    Uid: header.uid,
    Gid: header.gid,
    Uname: header.uname,
    Gname: header.gname,
    ModTime: time(header.mtime),
    AccessTime: time(header.atime),
    ChangeTime: time(header.ctime),
    Devmajor: header.devmajor,
    Devminor: header.devminor,
    Xattrs: map(
      records.flatMap(([key, value]) =>
        key.startsWith(attribute) ? [[key.slice(attribute.length), value] as const] : []
      )
    ),
    PAXRecords: map(records),
    Format: formatView(header.format)
  }, { isPointer: true })
}
