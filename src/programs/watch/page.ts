/** The status page, and the policy that lets it run what it brings along and nothing else. */
import { hashHex } from "../../lib/hash.ts"
import { markup } from "./page/markup.ts"
import { script } from "./page/script.ts"
import { style } from "./page/style.ts"

export const page = markup(style, script)

const source = (text: string): string =>
  `'sha256-${Buffer.from(hashHex("sha256", new TextEncoder().encode(text)), "hex").toString("base64")}'`

export const contentSecurityPolicy = [
  "default-src 'none'",
  `script-src ${source(script)}`,
  `style-src ${source(style)}`,
  "img-src data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'"
].join("; ")
