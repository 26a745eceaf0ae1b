/** Two processes and one layout, a hundred times over: whatever they do to it at once, nothing of either is lost. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { join } from "node:path"
import { addImage, judge, makeLayout, type Named, tagAll } from "../support/layouts.ts"
import { must, tool } from "../support/programs.ts"
import { temporary } from "../support/registries.ts"

const dir = temporary("rounds")
const layout = join(dir.path, "shared")
const env = { REGCTL_CONFIG: join(dir.path, "config.json"), DOCKER_CONFIG: dir.path, DOCKER_AUTH_CONFIG: undefined }
let images: Record<string, Named>

const regctl = (...args: ReadonlyArray<string>): Promise<string> =>
  must(process.execPath, [tool("regctl"), ...args], { env, cwd: dir.path })

beforeAll(() => {
  const source = makeLayout(join(dir.path, "source"))
  images = Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [
      `t${n}`,
      addImage(source, [Buffer.alloc(20_000, `layer ${n} `), "shared", Buffer.alloc(90_000, `pair ${n >> 1} `)])
    ])
  )
  tagAll(source, images)
})
afterAll(() => dir.remove())

describe("two processes that write one layout", () => {
  it("lose nothing in 100 rounds", async () => {
    const tags = new Map<string, string>()
    const digest = (n: number) => images[`t${n % 10}`]?.digest ?? ""
    const copy = async (n: number, tag: string) => {
      await regctl("image", "copy", `ocidir://source:t${n % 10}`, `ocidir://shared:${tag}`)
      tags.set(tag, digest(n))
    }
    const others: ReadonlyArray<(round: number) => Promise<unknown>> = [
      (round) => copy(round + 1, `b${round}`),
      // The same content as what the other copies, under a tag that goes: a sweep would take too much.
      async (round) => {
        await copy(round, "gone")
        await regctl("tag", "delete", "ocidir://shared:gone")
        tags.delete("gone")
      },
      (round) => copy(round + 3, "moved")
    ]
    for (let round = 0; round < 100; round++) {
      await Promise.all([copy(round, `a${round % 25}`), others[round % others.length]?.(round)])
      const judged = judge(layout)
      assert.deepStrictEqual(judged.problems, [], `round ${round}`)
      assert.deepStrictEqual(judged.tags, Object.fromEntries(tags), `round ${round}`)
    }
    assert.deepStrictEqual(judge(layout).extra, [])
  }, 240_000)
})
