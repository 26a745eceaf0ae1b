/** Traces by OTLP over HTTP, as the `OTEL_*` variables say. Loaded only when they ask for it. */
import { ConfigProvider, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { OtlpSerialization, OtlpTracer } from "effect/observability"

export type Protocol = "http/json" | "http/protobuf"

/** What the variables leave open: a collector on this machine, and who we are. */
const usual = (tool: string) =>
  ConfigProvider.fromEnv({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318", OTEL_SERVICE_NAME: tool }
  })

/** The exporter's own variable may be absent: who names a collector wants traces. */
const wanted = ConfigProvider.fromEnv({ env: { OTEL_TRACES_EXPORTER: "otlp" } })

/** Spans are sent by and by, and what is left when the scope closes, for up to three seconds. */
export const layer = (tool: string, version: string, protocol: Protocol) =>
  OtlpTracer.layerFromConfig({ resource: { serviceVersion: version } }).pipe(
    Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.effect(
      ConfigProvider.ConfigProvider,
      Effect.map(
        ConfigProvider.ConfigProvider,
        (provider) => wanted.pipe(ConfigProvider.orElse(provider), ConfigProvider.orElse(usual(tool)))
      )
    ))
  )
