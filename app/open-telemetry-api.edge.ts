/**
 * What Next takes of OpenTelemetry's API on the edge, where nothing of ours is traced. It asks by `require`, for which the
 * whole package would be bundled: 1.2 kB of gzip more.
 */
export {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "../node_modules/@opentelemetry/api/build/esm/index.js";
