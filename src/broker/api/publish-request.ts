import { createHash } from "node:crypto";

import { ApiError, notSupported } from "./api-error.ts";
import { readCallback, readDeliverySettings } from "./delivery-settings.ts";
import { readFlowControl } from "./flow-control-settings.ts";
import type { Limits } from "../limits.ts";
import { canonicalHeaderName, type MessageFacts, type Publication } from "../message.ts";
import {
  assertSendable,
  parseWhole,
  type PublishHeaders,
  readAllForwarded,
  readDuration,
  readHeader,
} from "./publish-headers.ts";
import { parseRedactFields } from "./redaction.ts";

/** What the broker honours; any other `Upstash-*` header would change what the publisher asked for, so it is refused. */
const honoured =
  /^upstash-(method|delay|not-before|retries|retry-delay|timeout|label|deduplication-id|content-based-deduplication|flow-control-(key|value)|redact-fields|header-forward|forward-.+|(failure-)?callback(-.+)?|telemetry-.+)$/;

/** Settings of a publish that a callback could have at QStash and has not here. */
const notOfCallbacks =
  /^upstash-(failure-)?callback-(delay|not-before|deduplication-id|content-based-deduplication|flow-control-.+|redact-fields|header-forward|label|cron|schedule-id|queue-name|workflow-.+|(failure-)?callback.*)$/;

export interface PublishRequest {
  /** Where this message goes: an address that was found deliverable. */
  url: string;
  headers: PublishHeaders;
  body: Uint8Array;
  nowMs: number;
  limits: Limits;
  /** What holds where the headers say nothing. */
  defaults: PublicationDefaults;
}

export type PublicationDefaults = Omit<Publication, "url" | "body" | "notBeforeMs" | "deduplicationId">;

/** The defaults of a publish that came from this address. */
export function publishDefaults(callerIp: string, through: Partial<MessageFacts> = {}): PublicationDefaults {
  return {
    method: "POST",
    header: {},
    maxRetries: 3,
    timeoutMs: null,
    retryDelay: null,
    labels: [],
    callback: null,
    failureCallback: null,
    flowControl: null,
    redact: [],
    queueName: null,
    topicName: null,
    endpointName: null,
    scheduleId: null,
    callerIp,
    ...through,
  };
}

/** 501 for a header that asks for what this broker lacks; `also` are honoured besides those of a publish. */
export function assertHonoured(headers: PublishHeaders, also: readonly string[] = []): void {
  for (const name of headers.keys()) {
    const isHonoured = also.includes(name) || (honoured.test(name) && !notOfCallbacks.test(name));
    if (name.startsWith("upstash-") && !isHonoured) throw notSupported(`The header ${canonicalHeaderName(name)}`);
  }
}

/** Understands one publish to one address. Throws an `ApiError`: 400 for nonsense, 412 over a limit. */
export function parsePublishRequest(request: PublishRequest): Publication {
  const { headers, defaults, limits, body } = request;
  if (body.byteLength > limits.messageBytesMax) throw new ApiError(412, "quota maxMessageSize exceeded");
  const contentType = headers.get("content-type");
  const forwardsAll = readHeader(headers, "upstash-header-forward")?.toLowerCase() === "true";
  const header = {
    ...defaults.header,
    ...(contentType ? { "Content-Type": assertSendable("content-type", contentType) } : {}),
    ...(forwardsAll ? readAllForwarded(headers) : {}),
  };
  const delivery = readDeliverySettings({
    headers,
    prefix: "upstash-",
    url: request.url,
    defaults: { ...defaults, header },
    limits,
  });
  const publication = {
    ...defaults,
    ...delivery,
    body,
    notBeforeMs: readNotBefore(headers, request.nowMs, limits),
    labels: headers.has("upstash-label") ? readLabels(headers) : defaults.labels,
    callback: readCallback(headers, "upstash-callback", delivery, limits) ?? defaults.callback,
    failureCallback: readCallback(headers, "upstash-failure-callback", delivery, limits) ?? defaults.failureCallback,
    flowControl: readFlowControl(headers) ?? defaults.flowControl,
    redact: readRedact(headers) ?? defaults.redact,
  };
  return { ...publication, deduplicationId: readDeduplicationId(headers, publication) };
}

/** `Upstash-Not-Before` is in seconds and beats `Upstash-Delay`; a time gone by means now. */
function readNotBefore(headers: PublishHeaders, nowMs: number, { delayMsMax }: Limits): number {
  const notBefore = readHeader(headers, "upstash-not-before");
  const delayMs = readDuration(headers, "upstash-delay") ?? 0;
  const dueAtMs =
    notBefore === undefined
      ? nowMs + delayMs
      : Math.max(nowMs, parseWhole(notBefore, "Upstash-Not-Before, a unix timestamp in seconds") * 1000);
  if (dueAtMs - nowMs > delayMsMax) {
    throw new ApiError(412, `quota maxDelay exceeded, current limit: ${delayMsMax / 1000}`);
  }
  return dueAtMs;
}

function readLabels(headers: PublishHeaders): string[] {
  const labels = (readHeader(headers, "upstash-label") ?? "").split(",").map((label) => label.trim());
  return [...new Set(assertSendable("upstash-label", labels))].filter((label) => label !== "");
}

function readRedact(headers: PublishHeaders): string[] | undefined {
  const text = readHeader(headers, "upstash-redact-fields");
  if (text === undefined) return undefined;
  const fields = parseRedactFields(text);
  if (!fields) throw new ApiError(400, "invalid Upstash-Redact-Fields: a field is none of body, header, header[Name]");
  return fields;
}

/**
 * The publisher's id, or one made of the content; that has a colon, which ids of publishers must not have. To each
 * endpoint of a URL group goes one message, so each has an id of its own.
 */
function readDeduplicationId(
  headers: PublishHeaders,
  publication: Pick<Publication, "url" | "header" | "body" | "topicName">,
): string | null {
  const id = readHeader(headers, "upstash-deduplication-id");
  if (id?.includes(":")) throw new ApiError(400, "DeduplicationId cannot contain ':'");
  if (id !== undefined && id !== "") {
    assertSendable("upstash-deduplication-id", [id]);
    const scoped = publication.topicName === null ? id : `endpoint:${publication.url}:${id}`;
    // An index entry of Postgres' holds no more than a third of a page.
    return scoped.length <= 256 ? scoped : `hash:${createHash("sha256").update(scoped).digest("hex")}`;
  }
  // Upstash's Python SDK writes `True`.
  if (readHeader(headers, "upstash-content-based-deduplication")?.toLowerCase() !== "true") return null;
  const content = createHash("sha256");
  content.update(JSON.stringify([publication.url, Object.entries(publication.header).toSorted(byName)]));
  return `content:${content.update(publication.body).digest("hex")}`;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
