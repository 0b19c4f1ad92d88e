/** https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The request's W3C trace context, or one of the delivery's own with the digits of its id, which is a UUID. Null if both
 * are malformed: it becomes a header of our own request.
 */
export function traceparentOf(request: Request, deliveryId: string): string | null {
  const digits = deliveryId.replaceAll("-", "");
  const own = `00-${digits}-${digits.slice(16)}-01`;
  return traceparentIn(request) ?? (traceparentPattern.test(own) ? own : null);
}

/** The request's W3C trace context; null if it has none, or a malformed one. */
export function traceparentIn(request: Request): string | null {
  const value = request.headers.get("traceparent");
  return traceparentPattern.test(value ?? "") ? value : null;
}

/** The trace id of a W3C trace context: 32 hexadecimal digits; null without one. */
export function traceIdOf(traceparent: string | null): string | null {
  return traceparent !== null && traceparentPattern.test(traceparent) ? traceparent.slice(3, 35) : null;
}
