import { assert, describe, it } from "@effect/vitest"
import { fsError } from "../../../src/services/fsError.ts"

describe("a failure of the file system", () => {
  for (
    const [code, reason, text] of [
      ["ENOSPC", "FsNoSpace", "write dir/index.json: no space left on device"],
      ["EDQUOT", "FsNoSpace", "write dir/index.json: disk quota exceeded"],
      ["EACCES", "FsPermission", "write dir/index.json: permission denied"],
      ["EROFS", "FsPermission", "write dir/index.json: read-only file system"],
      ["EIO", "FsIo", "write dir/index.json: input/output error"],
      ["ENXIO", "FsIo", "write dir/index.json: ENXIO"],
      ["ENOENT", "NotFound", "write dir/index.json: no such file or directory"]
    ] as const
  ) {
    it(`with ${code} is ${reason} and names the path`, () => {
      const failed = fsError("dir/index.json", "write")(Object.assign(new Error("x"), { code }))
      assert.strictEqual(failed.reason._tag, reason)
      assert.strictEqual(failed.message, text)
    })
  }
})
