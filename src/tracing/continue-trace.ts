import { getTrace } from "./trace.ts";

type Answer = (request: Request) => Promise<Response>;

/**
 * The same route's function in the running span: the request's `traceparent` names that span, so that everything that is
 * passed on continues it, and the span carries the delivery's id. Without OpenTelemetry the request is unchanged.
 */
export function continueTrace(answer: Answer): Answer {
  return async (request) => {
    const trace = getTrace();
    const traceparent = trace.traceparent();
    if (traceparent !== null) request.headers.set("traceparent", traceparent);
    const response = await answer(request);
    const deliveryId = response.headers.get("x-delivery-id");
    if (deliveryId !== null) trace.tell({ "relay.delivery.id": deliveryId });
    return response;
  };
}
