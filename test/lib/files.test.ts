import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, readFile as readWhole, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readFile, Writer } from "../../src/lib/files.ts"

const inDirectory = async (use: (dir: string) => Promise<void>) => {
  const dir = await mkdtemp(join(tmpdir(), "files-"))
  try {
    await use(dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

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
      assert.strictEqual(await readWhole(file, "utf8"), "hello!")
    }))
})
