/** `regctl docker install`: links the tool to where docker's client looks for its plugins. */
import { Console, Effect, FileSystem, Option, Path } from "effect"
import { programFile } from "../../lib/programFile.ts"
import { visible } from "../../lib/visibleText.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { home, variable } from "../../services/Environment.ts"
import { platformError } from "../../services/fsError.ts"

interface Input {
  readonly dir: string
}

/** A link that is there is replaced in one step; anything else that has the name stays. */
export const run = Effect.fn("docker install")(function*({ dir }: Input) {
  const files = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const directory = dir === "" ? yield* pluginDirectory : dir
  const plugin = paths.resolve(directory, "docker-regctl")
  const program = programFile()
  // Called as the plugin, it is the link that shall not point to itself.
  const target = isPlugin(paths.basename(program)) ? yield* realPath(program) : program
  yield* files.makeDirectory(paths.dirname(plugin), { recursive: true }).pipe(
    Effect.mapError(platformError("create", directory))
  )
  const isLink = Option.isSome(yield* Effect.option(files.readLink(plugin)))
  if (!isLink && (yield* Effect.orElseSucceed(files.exists(plugin), () => false))) {
    return yield* new UsageError({ message: `${visible(plugin)} is there and no link: remove it first` })
  }
  const temporary = `${plugin}.new`
  yield* Effect.ignore(files.remove(temporary))
  yield* files.symlink(target, temporary).pipe(
    Effect.andThen(files.rename(temporary, plugin)),
    Effect.mapError(platformError("link", plugin))
  )
  yield* Console.log(plugin)
})

const isPlugin = (name: string): boolean => name.startsWith("docker-")

const realPath = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => Effect.mapError(files.realPath(path), platformError("read", path)))

const pluginDirectory = Effect.gen(function*() {
  const paths = yield* Path.Path
  const user = yield* home
  const config = (yield* variable("DOCKER_CONFIG")) || (user === "" ? "" : paths.join(user, ".docker"))
  if (config === "") return yield* new UsageError({ message: "no home directory is known: name one with --dir" })
  return paths.join(config, "cli-plugins")
})
