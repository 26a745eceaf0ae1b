import { assert, describe, it } from "@effect/vitest"
import { fromStore } from "../../../src/programs/serve/failures.ts"
import { storeError } from "../../../src/schemas/StoreError.ts"

describe("a failure of the store", () => {
  it("tells a client what is not there, and nothing of the server's directories", () => {
    const absent = storeError("open /srv/registry/app", "NotFound", "not found: ocidir:///srv/registry/app:v1")
    assert.deepStrictEqual(fromStore("MANIFEST_UNKNOWN")(absent).problems, [
      { code: "MANIFEST_UNKNOWN", message: "manifest unknown to registry" }
    ])
  })

  it("tells nothing of what is wrong inside, which is for the log", () => {
    const { problems, status } = fromStore("BLOB_UNKNOWN")(storeError("read /srv/x", "FsIo", "input/output error"))
    assert.deepStrictEqual([status, problems], [500, [{ code: "UNKNOWN", message: "the registry's storage failed" }]])
  })

  it("quotes no more than 2,000 characters of what a client sent, and no control characters", () => {
    const error = storeError("", "UnsupportedMediaType", `unsupported media type: "\u001b${"x".repeat(1_000_000)}"`)
    const [problem] = fromStore("MANIFEST_UNKNOWN")(error).problems
    assert.strictEqual(problem?.message, `unsupported media type: "\\x1b${"x".repeat(1_971)}…`)
  })
})
