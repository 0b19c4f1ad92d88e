/** The receiver under examination, as Meta's servers see it: an address, its secrets and a verify token. */
import { createHmac } from "node:crypto";
import type { Agent } from "node:http";

import { signBody } from "#instagram/signature.ts";
import type { Clock } from "#platform/clock.ts";

import { type Answer, exchange } from "./exchange.ts";

export interface ReceiverOptions {
  url: string;
  /** At least one; the first one signs. */
  secrets: readonly string[];
  verifyToken: string;
  /** For one request. */
  limitMs: number;
  /** How long it may wait for a sender that has stopped. */
  patienceMs: number;
  clock: Clock;
}

/** The calls reject with `NoAnswer` if the receiver does not answer. */
export interface Receiver extends ReceiverOptions {
  secret: string;
  sign(body: Body): Promise<string>;
  /** Sends a GET, or another method, with these parameters added to the address. */
  get(parameters: Record<string, string>, method?: string): Promise<Answer>;
  /** Sends a signed POST, changed as `delivery` says. */
  deliver(delivery: Delivery): Promise<Answer>;
}

export type Body = string | Uint8Array;

/** A delivery as Meta sends it, with these differences. */
export interface Delivery {
  body: Body;
  /** In place of the valid signature: another one, several in as many headers, or none. */
  signature?: string | string[] | null;
  /** Added to the usual headers, or in place of one whose name is equal in any case. `null` leaves a header out. */
  headers?: Record<string, string | null>;
  method?: string;
  /** The number of writes in which the body is sent; 1 by default. */
  pieces?: number;
  pauseMs?: number;
  /** Sends the body without an announced length. */
  isChunked?: boolean;
  /** Sends only the first half of the body and does not end the request. */
  stalls?: boolean;
  agent?: Agent;
  limitMs?: number;
}

const userAgent = "facebookexternalua";

/** Creates the receiver's client; sends nothing. */
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

/** The headers of recorded deliveries from Meta. */
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
    // Meta still sends the older header too. Beside a wrong signature a receiver that checks only it would accept the body.
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

/** The bytes that are sent and signed; text as UTF-8. */
export function toBytes(body: Body): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}
