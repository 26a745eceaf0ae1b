/**
 * Node's modules in a bundle: each is loaded where something of it is first used. An import would load them all at the
 * start, and whatever their getters stand for with them; and some cannot be part of a snapshot, such as node:http.
 */
import { isBuiltin } from "node:module"
import type { Plugin } from "rolldown"

const mark = "\0builtin:"

/** Node has loaded these before a program starts. They are themselves: Effect spreads node:path. */
const loaded = new Set(["buffer", "events", "fs", "path", "timers", "url", "util"])

/** `isLeft` tells the imports that stay as they are. */
export const builtins = (isLeft: (importer: string, isDynamic: boolean) => boolean): Plugin => ({
  name: "builtins",
  resolveId: (id, importer = "", { kind }) =>
    isBuiltin(id) && !isLeft(importer, kind === "dynamic-import") ? `${mark}${id.replace(/^node:/, "")}` : null,
  load: (id) => id.startsWith(mark) ? { code: codeOf(id.slice(mark.length)), moduleType: "js" } : null
})

const codeOf = (name: string): string =>
  loaded.has(name) ? `module.exports = process.getBuiltinModule("node:${name}")` : `
let it
const load = () => it ??= process.getBuiltinModule("node:${name}")
module.exports = Object.create(new Proxy({}, { get: (_, key) => load()[key], has: (_, key) => key in load() }))`
