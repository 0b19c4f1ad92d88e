import { SpanKind } from "@opentelemetry/api";

import type { Configuration } from "@vercel/otel";

type SpanProcessor = Exclude<NonNullable<Configuration["spanProcessors"]>[number], string>;
type StartedSpan = Parameters<SpanProcessor["onStart"]>[0];
type EndedSpan = Parameters<SpanProcessor["onEnd"]>[0];

/**
 * Removes attributes that Next and @vercel/otel add to a new span and that may hold secrets. A request's target can hold
 * the verify token, a sign-in ticket or an erasure's code: the route is enough. Of a foreign address only the host stays,
 * because a handler may call `graph.instagram.com/<a person's id>?access_token=…`.
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

/** Removes the messages of errors from an ended span: an exception keeps its type, a status its code. */
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
