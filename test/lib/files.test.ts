import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtemp, readFile as contentOf, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { codeOf, readFile, readWhole, Writer } from "../../src/lib/files.ts"

const inDirectory = async (use: (dir: string) => Promise<void>) => {
  const dir = await mkdtemp(join(tmpdir(), "files-"))
  try {
    await use(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

describe("reading a whole file", () => {
  it("refuses what is no plain file, be it behind a link, and waits for no pipe", () =>
    inDirectory(async (dir) => {
      await symlink("/dev/zero", join(dir, "zero"))
      execFileSync("mkfifo", [join(dir, "pipe")])
      const codes = ["zero", "pipe", "."].map((it) => readWhole(join(dir, it), 100).then(() => "", codeOf))
      assert.deepStrictEqual(await Promise.all(codes), ["NOT_PLAIN", "NOT_PLAIN", "EISDIR"])
    }))

  it("refuses more than the limit", () =>
    inDirectory(async (dir) => {
      await writeFile(join(dir, "a"), "hello")
      assert.strictEqual(Buffer.from(await readWhole(join(dir, "a"), 5)).toString(), "hello")
      assert.strictEqual(await readWhole(join(dir, "a"), 4).then(() => "", codeOf), "TOO_LARGE")
    }))
})

describe("reading files", () => {
  it("takes small buffers once many are read slowly", () =>
    inDirectory(async (dir) => {
      const file = join(dir, "large")
      await writeFile(file, new Uint8Array(3 * 1024 * 1024))
      const views: Array<number> = []
      const readings = Array.from({ length: 20 }, () => {
        let first: (length: number) => void = () => {}
        const came = new Promise<number>((resolve) => first = resolve)
        const reading = readFile(file, {
          from: 0,
          length: Number.MAX_SAFE_INTEGER,
          opened: () => {},
          sink: (view) => first(view.length),
          done: () => {}
        })
        return { came, reading }
      })
      for (const { came } of readings) views.push(await came)
      assert.deepStrictEqual([...new Set(views)], [64 * 1024])
      await Promise.all(readings.map(({ reading }) => new Promise<void>((resolve) => reading.stop(resolve))))
      const [alone] = await new Promise<ReadonlyArray<number>>((resolve) => {
        const seen: Array<number> = []
        readFile(file, {
          from: 0,
          length: Number.MAX_SAFE_INTEGER,
          opened: () => {},
          sink: (view, release) => {
            seen.push(view.length)
            release()
          },
          done: () => resolve(seen)
        })
      })
      assert.strictEqual(alone, 1024 * 1024)
    }))
})

describe("a file written in parts", () => {
  it("goes on at the byte it is told, without what lay behind", () =>
    inDirectory(async (dir) => {
      const file = join(dir, "parts")
      const add = async (at: number, text: string) => {
        const writer = await Writer.resume(file, at)
        writer.write(Buffer.from(text), () => {})
        await writer.drain()
        await writer.close()
      }
      await add(0, "hello there")
      await add(5, "!")
      assert.strictEqual(await contentOf(file, "utf8"), "hello!")
    }))
})
