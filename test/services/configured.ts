/** Hosts and credentials over files in a temporary home. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Effect, FileSystem, Layer, Logger, Redacted } from "effect"
import { ConfigFile } from "../../src/services/ConfigFile.ts"
import { CredentialHelpers } from "../../src/services/CredentialHelpers.ts"
import { type Credential, Credentials } from "../../src/services/Credentials.ts"
import { Globals } from "../../src/services/Globals.ts"
import { HostEntries } from "../../src/services/HostEntries.ts"
import { CertificateDirectories, Hosts } from "../../src/services/Hosts.ts"

/** What the files and variables of a run hold. */
export interface Setting {
  readonly regctl?: object | string
  readonly docker?: object | string
  readonly inline?: object
  readonly containers?: object
  readonly hosts?: ReadonlyArray<string>
  readonly helpers?: Readonly<Record<string, readonly [string, string] | undefined>>
}

const text = (content: object | string) => typeof content === "string" ? content : JSON.stringify(content)

const answers = (helpers: NonNullable<Setting["helpers"]>): Readonly<Record<string, Credential | undefined>> =>
  Object.fromEntries(
    Object.entries(helpers).map(([name, login]) => [
      name,
      login && { username: login[0], password: Redacted.make(login[1]), source: name }
    ])
  )

/** Runs with the files of a setting in a temporary home. */
export const within = <A, E>(
  setting: Setting,
  test: (
    directory: string,
    warnings: Array<string>
  ) => Effect.Effect<A, E, Hosts | Credentials | FileSystem.FileSystem>
) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const write = (name: string, content: object | string | undefined) =>
      content === undefined ? Effect.void : Effect.andThen(
        fs.makeDirectory(`${directory}/${name.replace(/\/[^/]*$/, "")}`, { recursive: true }),
        fs.writeFileString(`${directory}/${name}`, text(content))
      )
    yield* write(".regctl/config.json", setting.regctl)
    yield* write(".docker/config.json", setting.docker)
    yield* write("run/containers/auth.json", setting.containers)
    const warnings: Array<string> = []
    const layer = Layer.mergeAll(Credentials.layer, Hosts.layer).pipe(
      Layer.provide(HostEntries.layer),
      Layer.provide(Layer.mergeAll(ConfigFile.layer, CredentialHelpers.layerOf(answers(setting.helpers ?? {}))))
    )
    const environment = {
      HOME: directory,
      XDG_RUNTIME_DIR: `${directory}/run`,
      ...(setting.inline === undefined ? {} : { DOCKER_AUTH_CONFIG: text(setting.inline) })
    }
    return yield* test(directory, warnings).pipe(
      Effect.provide(Layer.fresh(layer)),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment)),
      Effect.provideService(CertificateDirectories, [`${directory}/certs.d`, `${directory}/more.d`]),
      Effect.provideService(Globals, {
        hosts: setting.hosts ?? [],
        userAgent: "",
        verbosity: "WARN",
        isVerbose: false,
        logOptions: []
      }),
      Effect.provide(Logger.layer([Logger.make(({ message }) => void warnings.push(String(message)))]))
    )
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

export const auth = (login: string) => ({ auth: Buffer.from(login).toString("base64") })

export const host = (name: string) => Effect.flatMap(Hosts, (it) => it.get(name))
