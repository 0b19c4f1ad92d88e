import { createHash } from "node:crypto";

import { ApiError, notSupported } from "./api-error.ts";
import {
  assertSendable,
  type PublishHeaders,
  readCallback,
  readDeliverySettings,
  readDuration,
  readHeader,
} from "./delivery-settings.ts";
import { assertDeliverable, splitDestination } from "./destination.ts";
import { canonicalHeaderName, type Publication } from "./message.ts";

/** QStash's limit on its pay-as-you-go plan. */
export const messageBytesMax = 10 * 1024 * 1024;

const delayMsMax = 365 * 86_400_000;

/** What the broker honours; any other `Upstash-*` header would change what the publisher asked for, so it is refused. */
const honoured =
  /^upstash-(method|delay|not-before|retries|timeout|label|deduplication-id|content-based-deduplication|forward-.+|(failure-)?callback(-method|-retries|-timeout|-forward-.+)?|telemetry-.+)$/;

export interface PublishRequest {
  /** The destination as it stands in the request target, query string included. */
  target: string;
  headers: PublishHeaders;
  body: Uint8Array;
  callerIp: string;
  nowMs: number;
}

/** Understands one publish. Throws an `ApiError`: 400 for nonsense, 412 over a quota, 501 for what this broker lacks. */
export function parsePublishRequest(request: PublishRequest): Publication {
  const { url, settings } = splitDestination(request.target);
  assertDeliverable(url);
  const headers = new Map(request.headers);
  for (const [name, value] of settings) if (!headers.has(name)) headers.set(name, [value]);
  for (const name of headers.keys()) {
    if (name.startsWith("upstash-") && !honoured.test(name))
      throw notSupported(`The header ${canonicalHeaderName(name)}`);
  }
  if (request.body.byteLength > messageBytesMax) throw new ApiError(412, "quota maxMessageSize exceeded");

  const delivery = readDeliverySettings(headers, "upstash-", url);
  if (delivery.method === "GET" && request.body.byteLength > 0) throw notSupported("A body with the method GET");
  const contentType = headers.get("content-type");
  const publication = {
    ...delivery,
    header: contentType
      ? { "Content-Type": assertSendable("content-type", contentType), ...delivery.header }
      : delivery.header,
    body: request.body,
    notBeforeMs: readNotBefore(headers, request.nowMs),
    labels: readLabels(headers),
    callback: readCallback(headers, "upstash-callback"),
    failureCallback: readCallback(headers, "upstash-failure-callback"),
    callerIp: request.callerIp,
  };
  return { ...publication, deduplicationId: readDeduplicationId(headers, publication) };
}

/** `Upstash-Not-Before` is in seconds and beats `Upstash-Delay`; a time gone by means now. */
function readNotBefore(headers: PublishHeaders, nowMs: number): number {
  const notBefore = readHeader(headers, "upstash-not-before");
  if (notBefore !== undefined && !/^\d+$/.test(notBefore.trim())) {
    throw new ApiError(400, "invalid Upstash-Not-Before: not a unix timestamp in seconds");
  }
  const delayMs = readDuration(headers, "upstash-delay") ?? 0;
  const dueAtMs = notBefore === undefined ? nowMs + delayMs : Math.max(nowMs, Number(notBefore) * 1000);
  if (dueAtMs - nowMs > delayMsMax) {
    throw new ApiError(412, `quota maxDelay exceeded, current limit: ${delayMsMax / 1000}`);
  }
  return dueAtMs;
}

function readLabels(headers: PublishHeaders): string[] {
  const labels = (readHeader(headers, "upstash-label") ?? "").split(",").map((label) => label.trim());
  return [...new Set(assertSendable("upstash-label", labels))].filter((label) => label !== "");
}

/** The publisher's id, or one made of the content; that has a colon, which ids of publishers must not have. */
function readDeduplicationId(
  headers: PublishHeaders,
  publication: Pick<Publication, "url" | "header" | "body">,
): string | null {
  const id = readHeader(headers, "upstash-deduplication-id");
  if (id?.includes(":")) throw new ApiError(400, "DeduplicationId cannot contain ':'");
  if (id !== undefined && id !== "") return assertSendable("upstash-deduplication-id", [id])[0] ?? null;
  if (readHeader(headers, "upstash-content-based-deduplication") !== "true") return null;
  const content = createHash("sha256");
  content.update(JSON.stringify([publication.url, Object.entries(publication.header).toSorted(byName)]));
  return `content:${content.update(publication.body).digest("hex")}`;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
