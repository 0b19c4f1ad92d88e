import { type Answer, mayPass } from "#platform/bounded-fetch.ts";
import { ForwardError, type ForwardErrorCode } from "#platform/forward-error.ts";
import { type InternalCallOptions, postInternal } from "#platform/post-internal.ts";

import type { QueuePublisher } from "../publisher.ts";

/** The route takes a function's body: on Vercel 4.5 MB. https://vercel.com/docs/functions/limitations */
export const postgresBytesMax = 3_000_000;

/** Not signed: a party that can change it can also withhold the call. */
export const deduplicationHeader = "x-relay-deduplication-id";

/**
 * Posts a batch to our own Node route, which commits it to the queue in Postgres before it answers, and drains the queue
 * afterwards. Its errors are the `PUBLISH_…` codes and `RELAY_URL_REDIRECTS`.
 */
export function createPostgresPublisher(options: InternalCallOptions): QueuePublisher {
  return {
    bytesMax: postgresBytesMax,
    async publish({ body, deduplicationId, traceparent }, timeoutMs) {
      const headers: Record<string, string> = { [deduplicationHeader]: deduplicationId };
      if (traceparent !== null) headers["traceparent"] = traceparent;
      const answer = await postInternal(body, timeoutMs, options, headers);
      const { status } = answer;
      if (status !== 200) throw refusal(answer);
      const messageId = /^\{"messageId":"(\d+)"/.exec(answer.text)?.[1];
      // Another server answers at this address.
      if (messageId === undefined) throw new ForwardError("PUBLISH_UNCONFIRMED", `${status} without a message's id`);
      return { status, messageId };
    },
  };
}

const refusals: Record<number, ForwardErrorCode> = {
  400: "PUBLISH_INVALID",
  401: "PUBLISH_UNAUTHORIZED",
  403: "PUBLISH_UNAUTHORIZED",
  404: "PUBLISH_NOT_FOUND",
  413: "PUBLISH_OVER_QUOTA",
};

function refusal({ status, headers }: Answer): ForwardError {
  const message = `The relay answered ${status}`;
  if (status === 429) {
    const retryAfter = headers.get("retry-after") ?? "";
    const retryAfterMs = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
    return new ForwardError("PUBLISH_RATE_LIMITED", message, { retryAfterMs });
  }
  if (mayPass(status)) return new ForwardError("PUBLISH_UNAVAILABLE", message);
  return new ForwardError(refusals[status] ?? "PUBLISH_REJECTED", message);
}
