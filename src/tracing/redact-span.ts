import { SpanKind } from "@opentelemetry/api";

import type { Configuration } from "@vercel/otel";

type SpanProcessor = Exclude<NonNullable<Configuration["spanProcessors"]>[number], string>;
type StartedSpan = Parameters<SpanProcessor["onStart"]>[0];
type EndedSpan = Parameters<SpanProcessor["onEnd"]>[0];

/**
 * Takes out of a span that begins what Next and @vercel/otel put in and nobody else may read. A request's target can
 * hold the verify token, a sign-in or the code of an erasure: its route tells enough. Of an address that is not ours
 * only the host stays: a handler may well call `graph.instagram.com/<a person's id>?access_token=…`.
 */
export function redactStarted(span: StartedSpan, ownUrls: readonly string[]): void {
  const { attributes } = span;
  delete attributes["http.target"];
  delete attributes["http.referer"];
  const url = attributes["http.url"];
  if (span.kind !== SpanKind.CLIENT || typeof url !== "string") return;
  const shown = shorten(url, ownUrls);
  span.updateName(span.name.replace(url, () => shown));
  span.setAttributes({ "http.url": shown, "resource.name": shown });
}

/** Takes the words of errors out of a span that has ended: of an exception its type stays, of the status its code. */
export function redactEnded(span: EndedSpan): void {
  delete span.status.message;
  for (const { attributes = {} } of span.events) {
    delete attributes["exception.message"];
    delete attributes["exception.stacktrace"];
  }
}

function shorten(url: string, ownUrls: readonly string[]): string {
  const { origin, pathname } = new URL(url);
  return ownUrls.some((own) => url.startsWith(`${own}/`)) ? origin + pathname : origin;
}
