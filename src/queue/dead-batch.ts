import type { DeadBatch } from "#platform/dead-batch.ts";
import { deliveryIdPattern } from "#platform/delivery.ts";
import { parseJson, parseJsonObject } from "#platform/parse-json.ts";

/** What is known of it: from QStash's failure callback, from its list of dead letters, or to the consumer itself. */
export interface GivenUp {
  /** QStash's id of its dead letter; null where it has none yet. */
  dlqId: string | null;
  messageId: string;
  url: string;
  /** Of the last answer; 0 without one. */
  status: number;
  /** The last answer's body. */
  answer: string;
  /** Deliveries after the first. */
  retried: number;
  body: Uint8Array;
  /** Whether nothing of the body can be missing; QStash cuts it in the callback. */
  isWhole: boolean;
  deployment: string | null;
}

/**
 * How long QStash keeps its dead letters on its smallest plan; its API does not say when one expires, and larger plans keep
 * them for longer. https://upstash.com/pricing/qstash
 */
const qstashKeepsMs = 3 * 24 * 60 * 60_000;

/** Describes a message that was given up. `nowMs` is when, unless QStash's id says an earlier time. */
export function describeDeadBatch(given: GivenUp, nowMs: number): DeadBatch {
  const { dlqId, messageId, url, status, answer, retried, body, deployment } = given;
  // QStash's clock may be ahead of ours.
  const failedAtMs = Math.min(nowMs, Number(/^(\d{13})-/.exec(dlqId ?? "")?.[1] ?? nowMs));
  const { error } = parseJsonObject(answer);
  const code = typeof error === "object" && error !== null ? (error as { code?: unknown }).code : undefined;
  const isWhole = given.isWhole || parseJson(new TextDecoder().decode(body)) !== undefined;
  return {
    cause: status === 489 ? "undecodable" : status === 413 ? "too-large" : "qstash",
    dlqId,
    messageId,
    ...findBatchPlace(body),
    url,
    status,
    attempts: retried + 1,
    errorName: status === 0 ? "NoAnswer" : `HTTP ${status}`,
    errorCode: typeof code === "string" && /^[A-Z][A-Z_]{1,60}$/.test(code) ? code : null,
    deployment,
    body: body.byteLength === 0 ? null : body,
    bodyWhole: body.byteLength > 0 && isWhole,
    failedAtMs,
    expiresAtMs: failedAtMs + qstashKeepsMs,
  };
}

const headBytes = 2_000;
const place = /^\{"version":\d+,"delivery":\{"id":"([^"]+)"(?:[^[{]*?"(?:batch|chunk)":\[(\d{1,5}),)?/;

/** Our encoding, of any version, begins with the delivery's facts, so a cut copy holds them too. */
function findBatchPlace(body: Uint8Array): Pick<DeadBatch, "deliveryId" | "batchIndex"> {
  const [, id, index] = place.exec(new TextDecoder().decode(body.subarray(0, headBytes))) ?? [];
  if (id === undefined || !deliveryIdPattern.test(id)) return { deliveryId: null, batchIndex: null };
  return { deliveryId: id, batchIndex: index === undefined ? null : Number(index) };
}
