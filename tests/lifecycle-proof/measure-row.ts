import { randomUUID } from "node:crypto";

import { signBody } from "#instagram/signature.ts";

import { quantile } from "../bench/measure.ts";
import { findWithin } from "../support/eventually.ts";
import { type FunctionHost, type FunctionRequest, hostLimitMs } from "../hosts/function-host.ts";
import type { QstashModel } from "./qstash-model.ts";
import type { Strategy } from "./strategies.ts";

/** When an event arrived at QStash, judged by the clock of the delivery's sender. */
export type When = "before the ack" | "after the ack" | "after a later request" | "never" | "not available";

export interface Measured {
  deliveries: number;
  /** How many events arrived. */
  arrived: number;
  /** The same for all events, or `mixed`; then `whens` counts each. */
  when: When | "mixed";
  whens?: Partial<Record<When, number>>;
  /** From the request to the end of the response, in milliseconds; null if no delivery was answered. */
  ackP50: number | null;
  ackP95: number | null;
}

export interface MeasureOptions {
  host: FunctionHost;
  qstash: QstashModel;
  strategy: Strategy;
  qstashMs: number;
  deliveries: number;
}

/** The fixture's app secret, which signs the deliveries. */
export const appSecret = "app-secret";

/** Sends deliveries one after another and waits for each until its outcome is final. */
export async function measureRow({ host, deliveries, ...options }: MeasureOptions): Promise<Measured> {
  const outcomes: Outcome[] = [];
  for (let sent = 0; sent < deliveries; sent += 1) {
    await host.ready();
    outcomes.push(await follow({ host, ...options }));
  }
  const acks = outcomes.flatMap(({ ackMs }) => ackMs ?? []);
  return {
    deliveries,
    arrived: outcomes.filter(({ when }) => when !== "never" && when !== "not available").length,
    ...summarize(outcomes.map(({ when }) => when)),
    ackP50: acks.length === 0 ? null : inTenths(quantile(acks, 0.5)),
    ackP95: acks.length === 0 ? null : inTenths(quantile(acks, 0.95)),
  };
}

function summarize(all: readonly When[]): Pick<Measured, "when" | "whens"> {
  const whens: Partial<Record<When, number>> = {};
  for (const when of all) whens[when] = (whens[when] ?? 0) + 1;
  const [first = "never", ...others] = Object.keys(whens) as When[];
  return others.length === 0 ? { when: first } : { when: "mixed", whens };
}

function inTenths(value: number): number {
  return Math.round(value * 10) / 10;
}

interface Outcome {
  when: When;
  ackMs: number | null;
}

async function follow(options: Omit<MeasureOptions, "deliveries">): Promise<Outcome> {
  const { host, qstash, strategy, qstashMs } = options;
  const mid = randomUUID();
  const request = await deliveryRequest(mid, `?${new URLSearchParams({ strategy, qstashMs: String(qstashMs) })}`);
  const sentAt = performance.now();
  const { status, rest } = host.send(request);
  const answer = await status;
  const ackedAt = performance.now();
  const place = await rest;
  await qstash.decided(mid);

  // A function that lacks the scheduler throws before it starts the publish.
  if (answer === 500) return { when: "not available", ackMs: null };
  if (answer !== 200 && answer !== null) throw new Error(`The function answered ${answer}`);
  const ackMs = answer === 200 ? ackedAt - sentAt : null;
  const takenAt = () => qstash.takenAt(mid);
  const at = place === "running" ? await findWithin(hostLimitMs, takenAt) : takenAt();
  if (at !== undefined) return { when: at < ackedAt ? "before the ack" : "after the ack", ackMs };
  if (place !== "frozen") return { when: "never", ackMs };
  const isLate = await findWithin(hostLimitMs, async () => {
    await host.send(wakeRequest).rest;
    await qstash.decided(mid);
    return takenAt() !== undefined;
  });
  return { when: isLate ? "after a later request" : "never", ackMs };
}

const wakeRequest: FunctionRequest = { method: "GET", query: "", headers: {} };

async function deliveryRequest(mid: string, query: string): Promise<FunctionRequest> {
  const messaging = [{ sender: { id: "2" }, recipient: { id: "1" }, timestamp: 1, message: { mid, text: "hello" } }];
  const body = new TextEncoder().encode(
    JSON.stringify({ object: "instagram", entry: [{ id: "1", time: 1, messaging }] }),
  );
  const headers = { "content-type": "application/json", "x-hub-signature-256": await signBody(appSecret, body) };
  return { method: "POST", query, headers, body };
}
