import { acceptsBodyIn, type ConformanceCase, faultUnlessAccepted } from "./conformance-case.ts";
import { bodyOf, commentChange, messageBody, messageItem, sizedBody } from "./deliveries.ts";
import { NoAnswer } from "./exchange.ts";
import { changesEntry, messagingEntry } from "./payloads.ts";
import type { Delivery, Receiver } from "./receiver.ts";

const batches =
  "Meta sends up to 1000 updates in one delivery (https://developers.facebook.com/docs/graph-api/webhooks/getting-started).";

/** Deliveries with more than one event. */
export const batchCases: ConformanceCase[] = [
  batch("two", "2 changes in an entry", (nowMs) => bodyOf(changesEntry(nowMs, ...times(2, commentChange)))),
  batch("fifty", "50 messages in an entry", (nowMs) =>
    bodyOf(messagingEntry(nowMs, ...times(50, () => messageItem(nowMs)))),
  ),
  batch("changes", "1000 changes in an entry", (nowMs) => bodyOf(changesEntry(nowMs, ...times(1_000, commentChange)))),
  batch("messages", "1000 messages in an entry", (nowMs) =>
    bodyOf(messagingEntry(nowMs, ...times(1_000, () => messageItem(nowMs)))),
  ),
  batch("entries", "1000 entries", (nowMs) => bodyOf(...times(1_000, () => messagingEntry(nowMs, messageItem(nowMs))))),
];

/** Large bodies, and bodies that are too large. */
export const sizeCases: ConformanceCase[] = [
  size("110-kB", 110_000, "must", "100 kB is the default limit of Express, and Meta sends more."),
  size("350-kB", 350_000, "must", "Deliveries over 300 kB have been seen on Messenger's webhook."),
  size("1.1-MB", 1_100_000, "should", "1 MB is the default limit of nginx, and a thousand updates can be larger."),
  size("3-MB", 3_000_000, "should", "Meta documents up to 3 MB for its WhatsApp webhook."),
  excess("16-MB", "16 MB are refused, and the next delivery is accepted", {}),
  excess("16-MB-chunked", "16 MB without an announced length are refused, and the next delivery is accepted", {
    isChunked: true,
    pieces: 256,
  }),
];

function times(count: number, build: () => unknown): unknown[] {
  return Array.from({ length: count }, () => build());
}

function batch(name: string, what: string, build: (nowMs: number) => string): ConformanceCase {
  return acceptsBodyIn("batch")(name, "must", what, batches, build);
}

function size(name: string, bytes: number, level: "must" | "should", why: string): ConformanceCase {
  return acceptsBodyIn("size")(name, level, `a batch of ${bytes} bytes`, why, (nowMs) => sizedBody(nowMs, bytes));
}

/** A refusal may be an answer or a closed connection (RFC 9110, 15.5.14). */
function excess(name: string, checks: string, how: Omit<Delivery, "body">): ConformanceCase {
  return {
    id: `size.${name}`,
    level: "should",
    checks,
    why: "Anyone can send to a public address. A limit bounds the memory that one sender can use.",
    pace: "alone",
    run: async (receiver) => {
      const nowMs = receiver.clock.nowMs();
      const status = await statusOrClosed(receiver, { body: messageBody(nowMs).padEnd(16_000_000), ...how });
      if (status !== null && (status < 400 || status >= 500)) return `answered ${status}, not 413`;
      const fault = faultUnlessAccepted(await receiver.deliver({ body: messageBody(nowMs) }));
      return fault === null ? null : `the next delivery was ${fault}`;
    },
  };
}

async function statusOrClosed(receiver: Receiver, delivery: Delivery): Promise<number | null> {
  try {
    return (await receiver.deliver(delivery)).status;
  } catch (error) {
    if (error instanceof NoAnswer && error.code !== "LIMIT") return null;
    throw error;
  }
}
