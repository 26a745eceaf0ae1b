/** A view with fields alone. */
import { Struct } from "../../lib/gotemplate/value.ts"

/** `type` is the name used in error texts; the fields are views or plain values. */
export const record = (type: string, fields: Readonly<Record<string, unknown>>): Struct => new Struct(type, fields)
