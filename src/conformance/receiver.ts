/** The receiver under examination, as Meta's servers see it: an address, a secret, a token. */
import { createHmac } from "node:crypto";
import type { Agent } from "node:http";

import { signBody } from "#instagram/signature.ts";
import type { Clock } from "#platform/clock.ts";

import { type Answer, exchange } from "./exchange.ts";

export interface ReceiverOptions {
  url: string;
  /** One at least; the first signs. */
  secrets: readonly string[];
  verifyToken: string;
  /** For one request. */
  limitMs: number;
  /** How long it may put up with a sender that has stopped. */
  patienceMs: number;
  clock: Clock;
}

export interface Receiver extends ReceiverOptions {
  secret: string;
  sign(body: Body): Promise<string>;
  /** A GET, with these parameters added to the address. */
  get(parameters: Record<string, string>, method?: string): Promise<Answer>;
  deliver(delivery: Delivery): Promise<Answer>;
}

export type Body = string | Uint8Array;

/** A POST as Meta makes it, but for what is set here. */
export interface Delivery {
  body: Body;
  /** In the place of the right one: another, several (the header is sent as often), or none. */
  signature?: string | string[] | null;
  /** `null` leaves one out; names count as equal in any case, and are sent as they are written here. */
  headers?: Record<string, string | null>;
  method?: string;
  /** In how many writes the body is sent; 1 unless set. */
  pieces?: number;
  pauseMs?: number;
  /** Announces no length. */
  isChunked?: boolean;
  /** Only the first half of the body is ever sent. */
  stalls?: boolean;
  agent?: Agent;
  limitMs?: number;
}

const userAgent = "facebookexternalua";

export function createReceiver(options: ReceiverOptions): Receiver {
  const { url, clock, limitMs } = options;
  const secret = options.secrets[0] ?? "";
  const sign = (body: Body) => signBody(secret, toBytes(body));
  return {
    ...options,
    secret,
    sign,
    get: (parameters, method = "GET") => {
      const target = new URL(url);
      for (const [name, value] of Object.entries(parameters)) target.searchParams.append(name, value);
      const headers = { Accept: "*/*", "User-Agent": userAgent };
      return exchange(target.href, { method, headers, pieces: [], pauseMs: 0, ends: true, limitMs }, clock);
    },
    deliver: async (delivery) => {
      const body = toBytes(delivery.body);
      const outgoing = {
        method: delivery.method ?? "POST",
        headers: await composeHeaders(body, delivery, secret),
        pieces: cut(delivery.stalls ? body.subarray(0, body.byteLength / 2) : body, delivery.pieces ?? 1),
        pauseMs: delivery.pauseMs ?? 0,
        ends: !delivery.stalls,
        limitMs: delivery.limitMs ?? limitMs,
      };
      return exchange(url, delivery.agent ? { ...outgoing, agent: delivery.agent } : outgoing, clock);
    },
  };
}

/** What Meta's deliveries carry, as seen on the wire. */
async function composeHeaders(
  body: Uint8Array,
  { signature, headers: changes = {}, isChunked }: Delivery,
  secret: string,
): Promise<Record<string, string | string[]>> {
  const headers: Record<string, string | string[]> = {
    Accept: "*/*",
    "User-Agent": userAgent,
    "Content-Type": "application/json",
    ...(isChunked ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(body.byteLength) }),
    "Facebook-API-Version": "v23.0",
  };
  if (signature === undefined) {
    // Meta still sends the older header too. A signature that is meant to be wrong must not have a right one beside it.
    headers["X-Hub-Signature"] = `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`;
    headers["X-Hub-Signature-256"] = await signBody(secret, body);
  } else if (signature !== null) {
    headers["X-Hub-Signature-256"] = signature;
  }
  for (const [name, value] of Object.entries(changes)) {
    const same = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase());
    if (same !== undefined) delete headers[same];
    if (value !== null) headers[name] = value;
  }
  return headers;
}

function cut(body: Uint8Array, count: number): Uint8Array[] {
  const size = Math.max(1, Math.ceil(body.byteLength / count));
  return Array.from({ length: Math.ceil(body.byteLength / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
}

export function toBytes(body: Body): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}
