/** What an answer to one hop may have to be asked for: whose login, at which URL, for what. */
import type { Host } from "../../schemas/Host.ts"
import type { AuthRequest } from "../RegistryAuth.ts"
import { requestScopes } from "../registryAuth/scopes.ts"
import type { RegistryRequest } from "../RegistryHttp.ts"
import type { Hop } from "./redirects.ts"
import { wireRepository } from "./urls.ts"

/** Its scopes are made for who needs a token only. */
export class Asking implements AuthRequest {
  readonly #request: RegistryRequest
  readonly #method: string
  readonly host: Host
  readonly url: URL
  readonly repository: string | undefined
  readonly isAnonymous: boolean

  constructor(
    request: RegistryRequest,
    { host, isAnonymous }: Pick<AuthRequest, "host" | "isAnonymous">,
    { method, url }: Hop
  ) {
    this.#request = request
    this.#method = method
    this.host = host
    this.url = url
    this.repository = wireRepository(host, request.repository)
    this.isAnonymous = isAnonymous
  }

  get scopes(): AuthRequest["scopes"] {
    const { path, scopes } = this.#request
    return requestScopes({ method: this.#method, repository: this.repository, path, scopes })
  }
}
