import { getTrace } from "./trace.ts";

type Handle = (request: Request) => Promise<Response>;

/**
 * The same handler in the running span: the request's `traceparent` names that span, so that whatever the handler passes
 * on continues it, and the span tells the delivery's id. Without OpenTelemetry the request is as it came.
 */
export function continueTrace(handle: Handle): Handle {
  return async (request) => {
    const trace = getTrace();
    const traceparent = trace.traceparent();
    if (traceparent !== null) request.headers.set("traceparent", traceparent);
    const response = await handle(request);
    const deliveryId = response.headers.get("x-delivery-id");
    if (deliveryId !== null) trace.tell({ "relay.delivery.id": deliveryId });
    return response;
  };
}
