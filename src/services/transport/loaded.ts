/**
 * node:http, loaded by the first request. Imported as a module it would bring undici along, for exports nobody here
 * uses: ten times the time, and 15 MiB. Touches the platform.
 */
export const nodeHttp = () => process.getBuiltinModule("node:http")
