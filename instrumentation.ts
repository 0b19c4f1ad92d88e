type Work = Promise<unknown> | (() => Promise<unknown>);

interface RequestContext {
  get: () => { headers?: Record<string, string>; waitUntil?: (work: Work) => void } | undefined;
}

const vercelContext = Symbol.for("@vercel/request-context");
const nextContext = Symbol.for("@next/request-context");

/**
 * Off Vercel `waitUntil` of @vercel/functions finds no host and silently does nothing, and a server that is stopped then
 * drops the work. Here Next itself becomes the host: its shutdown waits for the work. On Vercel the host has defined the
 * symbol before and this leaves it.
 */
export async function register(): Promise<void> {
  const host = globalThis as { [vercelContext]?: RequestContext; [nextContext]?: RequestContext };
  // The build decides this: what is imported within is no part of the edge function.
  if (process.env.NEXT_RUNTIME === "nodejs") {
    if (host[vercelContext] === undefined) {
      const { after } = await import("next/server");
      const { appendClientAddress } = await import("#local/append-client-address.ts");
      appendClientAddress();
      // `next dev` is no host for strangers, and serves a WebSocket of its own.
      if (process.env.NODE_ENV === "production") (await import("./app/harden-process.ts")).hardenProcess();
      host[vercelContext] = createNodeContext(after);
    }
    if (isTracingWanted(process.env)) (await import("./app/tracing.ts")).startTracing();
    // Before Next loads a route and replaces it. With OpenTelemetry Next's own makes the spans of requests.
    else (await import("#platform/kept-fetch.ts")).keepFetch();
    return;
  }
  // The host that `after` itself uses on the edge, where importing `after` would cost 10 kB of gzip.
  host[vercelContext] ??= {
    get: () => {
      const context = host[nextContext]?.get();
      if (context?.waitUntil === undefined) throw new Error("This host keeps nothing alive after a response");
      return context;
    },
  };
}

/**
 * @vercel/otel takes this for Vercel's: it reads the headers, and as the span of a request begins, where `after` does
 * not work yet, it hands over a function. That is left to src/tracing/span-processor.ts.
 */
function createNodeContext(after: (promise: Promise<unknown>) => void): RequestContext {
  const context = { headers: {}, waitUntil: (work: Work) => (typeof work === "function" ? undefined : after(work)) };
  return { get: () => context };
}

/**
 * Where spans go, or that Vercel takes them; @vercel/otel reads the rest.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
const destinations = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "VERCEL_OTEL_ENDPOINTS"];

function isTracingWanted(env: NodeJS.ProcessEnv): boolean {
  const isDisabled = env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true";
  return !isDisabled && destinations.some((name) => (env[name] ?? "").trim() !== "");
}
