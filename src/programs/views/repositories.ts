/** A registry's catalog as templates see it. */
import { Struct, textOf } from "../../lib/gotemplate/value.ts"
import { compactJson } from "../../lib/json.ts"
import type { Headers } from "../../schemas/Manifest.ts"
import { headersView } from "./headers.ts"
import { prettyNames } from "./pretty.ts"

export const repositoriesView = ({ body, headers, repositories }: {
  readonly repositories: ReadonlyArray<string>
  readonly body: Uint8Array
  readonly headers: Headers
}): Struct =>
  new Struct("repo.RepoList", { Repositories: repositories }, {
    isPointer: true,
    json: () => compactJson(textOf(body)),
    pretty: () => prettyNames(repositories),
    methods: {
      GetRepos: () => repositories,
      RawBody: () => body,
      RawHeaders: () => headersView(headers),
      MarshalJSON: () => body
    }
  })
