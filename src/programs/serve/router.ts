/** The distribution API v1.1 over the repositories of a `ServeStore`: one request to one answer. */
import { Effect, Option } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { Logins } from "../../services/Logins.ts"
import type { ServeStore } from "../../services/ServeStore.ts"
import type { Uploads } from "../../services/Uploads.ts"
import * as blobs from "./blobs.ts"
import { type Refusal, refusal, toResponse } from "./failures.ts"
import * as lists from "./lists.ts"
import * as manifests from "./manifests.ts"
import { parseTarget, type Target } from "./route.ts"
import * as uploads from "./uploads.ts"

export interface RouterOptions extends manifests.PutOptions {
  /** Refuse everything that writes. */
  readonly isReadOnly: boolean
}

/** Answers the request of the context; every failure becomes an answer too. */
export const router = (options: RouterOptions) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const answer = yield* admit(request).pipe(
      Effect.andThen(answered(request, options)),
      Effect.catchTag("Refusal", (it) => {
        const told = it.cause === undefined ? Effect.void : Effect.logError(it.cause.message)
        return Effect.as(told, toResponse(it))
      })
    )
    return HttpServerResponse.setHeaders(answer, {
      "docker-distribution-api-version": "registry/2.0",
      "x-content-type-options": "nosniff"
    })
  })

const admit = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<void, Refusal, Logins> =>
  Effect.gen(function*() {
    const logins = yield* Logins
    const address = Option.getOrElse(request.remoteAddress, () => "")
    const verdict = yield* logins.check(request.headers["authorization"], address)
    if (verdict._tag === "Wait") {
      const headers = { "retry-after": String(Math.ceil(verdict.milliseconds / 1000)) }
      return yield* Effect.fail(refusal(429, "TOOMANYREQUESTS", "too many failed logins", { headers }))
    }
    if (verdict._tag === "Refused") {
      const headers = { "www-authenticate": "Basic realm=\"regctl serve\", charset=\"UTF-8\"" }
      return yield* Effect.fail(refusal(401, "UNAUTHORIZED", "authentication required", { headers }))
    }
  })

const answered = (request: HttpServerRequest.HttpServerRequest, options: RouterOptions) =>
  Effect.gen(function*() {
    const target = yield* Effect.fromResult(parseTarget(request.url))
    const isRead = request.method === "GET" || request.method === "HEAD"
    if (options.isReadOnly && !isRead) return yield* notAllowed("GET, HEAD")
    return yield* dispatch(options, target, request)
  })

const notAllowed = (allow: string) =>
  Effect.fail(refusal(405, "UNSUPPORTED", "the operation is unsupported here", { headers: { allow } }))

type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse, Refusal, ServeStore | Uploads>

const dispatch = (
  options: RouterOptions,
  { query, route }: Target,
  request: HttpServerRequest.HttpServerRequest
): Answer => {
  const method = request.method === "HEAD" ? "GET" : request.method
  const operation = `${method} ${route._tag}`
  switch (route._tag) {
    case "Base":
      return method === "GET" ? Effect.succeed(HttpServerResponse.jsonUnsafe({})) : notAllowed("GET, HEAD")
    case "Catalog":
      return method === "GET" ? lists.catalog(query) : notAllowed("GET, HEAD")
    case "Tags":
      return method === "GET" ? lists.tags(route.name, query) : notAllowed("GET, HEAD")
    case "Referrers":
      return method === "GET" ? lists.referrers(route.name, route.digest, query) : notAllowed("GET, HEAD")
    case "Manifest": {
      const { name, reference } = route
      if (operation === "GET Manifest") return manifests.get(name, reference, request)
      if (operation === "PUT Manifest") return manifests.put(options, name, reference, query, request)
      if (operation === "DELETE Manifest") return manifests.remove(name, reference, request)
      return notAllowed("GET, HEAD, PUT, DELETE")
    }
    case "Blob": {
      if (operation === "GET Blob") return blobs.get(route.name, route.digest, request)
      if (operation === "DELETE Blob") return blobs.remove(route.name, route.digest)
      return notAllowed("GET, HEAD, DELETE")
    }
    case "UploadStart":
      return method === "POST" ? uploads.start(route.name, query, request) : notAllowed("POST")
    case "Upload": {
      const { id, name } = route
      if (operation === "PATCH Upload") return uploads.patch(name, id, request)
      if (operation === "PUT Upload") return uploads.finish(name, id, query, request)
      if (operation === "GET Upload") return uploads.status(name, id)
      if (operation === "DELETE Upload") return uploads.cancel(name, id)
      return notAllowed("GET, HEAD, PATCH, PUT, DELETE")
    }
  }
}
