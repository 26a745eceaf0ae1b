/** The head of a request as it goes out (RFC 9112, sections 3 and 5). Nothing with a line break gets into it. */

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const value = /^[\t\x20-\x7e\x80-\xff]*$/
const target = /^[\x21-\x7e\x80-\xff]+$/

/** Bytes as characters. Throws `TypeError` for what is no method, target, name or value. */
export const requestHead = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string | ReadonlyArray<string>>>
): string => {
  if (!token.test(method)) throw new TypeError(`Method must be a valid HTTP token ["${method}"]`)
  if (!target.test(path)) throw new TypeError("Request path contains unescaped characters")
  let head = `${method} ${path} HTTP/1.1\r\n`
  for (const name in headers) {
    if (!token.test(name)) throw new TypeError("Header name must be a valid HTTP token")
    const values = headers[name] ?? []
    if (typeof values === "string") head += line(name, values)
    else for (const one of values) head += line(name, one)
  }
  return `${head}\r\n`
}

const line = (name: string, text: string): string => {
  if (!value.test(text)) throw new TypeError(`Invalid character in header content ["${name}"]`)
  return `${name}: ${text}\r\n`
}
