/** `regctl config set`: changes what was asked for in regctl's configuration file; defaults are left out of it. */
import { Effect } from "effect"
import { compact, type HostEntry } from "../../schemas/HostEntry.ts"
import type { RegctlConfig } from "../../schemas/RegctlConfig.ts"
import { UsageError } from "../../schemas/UsageError.ts"
import { ConfigFile } from "../../services/ConfigFile.ts"

export interface Input {
  readonly blobLimit: number
  readonly defaultCredHelper: string
  readonly dockerCert: boolean
  readonly dockerCred: boolean
  /** The names of the flags that were given; the others change nothing. */
  readonly given: ReadonlySet<string>
}

export const run = Effect.fn("config set")(function*(input: Input) {
  if (input.given.has("blob-limit") && input.blobLimit < 0) {
    return yield* new UsageError({ message: `blob-limit cannot be negative: ${input.blobLimit}` })
  }
  const file = yield* ConfigFile
  yield* file.save(changed(yield* file.load, input))
})

const changed = (config: RegctlConfig, input: Input): RegctlConfig => {
  const { hostDefault, incDockerCert, incDockerCred, ...rest } = config
  const defaults: HostEntry = compact({
    ...hostDefault,
    ...(input.given.has("default-cred-helper") ? { credHelper: input.defaultCredHelper } : {})
  })
  const cert = input.given.has("docker-cert") ? input.dockerCert ? undefined : false : incDockerCert
  const cred = input.given.has("docker-cred") ? input.dockerCred ? undefined : false : incDockerCred
  return {
    ...rest,
    ...(input.given.has("blob-limit") ? { blobLimit: input.blobLimit } : {}),
    ...(Object.keys(defaults).length === 0 ? {} : { hostDefault: defaults }),
    ...(cert === undefined ? {} : { incDockerCert: cert }),
    ...(cred === undefined ? {} : { incDockerCred: cred })
  }
}
