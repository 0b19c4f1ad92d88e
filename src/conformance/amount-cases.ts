import { accepts, type ConformanceCase, faultUnlessAccepted, type Level } from "./conformance-case.ts";
import { bodyOf, change, changesEntry, item, messageBody, messagingEntry, sizedBody } from "./deliveries.ts";
import { NoAnswer } from "./exchange.ts";
import type { Delivery, Receiver } from "./receiver.ts";

const batches =
  "Meta gathers up to 1000 updates in a delivery (https://developers.facebook.com/docs/graph-api/webhooks/getting-started).";

/** More than one event. */
export const batchCases: ConformanceCase[] = [
  batch("two", 2, "changes in an entry", (nowMs, count) =>
    bodyOf(changesEntry(nowMs, ...times(count, () => change("two")))),
  ),
  batch("fifty", 50, "messages in an entry", (nowMs, count) =>
    bodyOf(messagingEntry(nowMs, ...times(count, () => item(nowMs)))),
  ),
  batch("changes", 1_000, "changes in an entry", (nowMs, count) =>
    bodyOf(changesEntry(nowMs, ...times(count, () => change("many")))),
  ),
  batch("messages", 1_000, "messages in an entry", (nowMs, count) =>
    bodyOf(messagingEntry(nowMs, ...times(count, () => item(nowMs)))),
  ),
  batch("entries", 1_000, "entries", (nowMs, count) =>
    bodyOf(...times(count, () => messagingEntry(nowMs, item(nowMs)))),
  ),
];

/** More bytes than usual, and more than anyone should have to take. */
export const sizeCases: ConformanceCase[] = [
  size("110-kB", 110_000, "must", "100 kB is where Express stops by default, and Meta does not."),
  size("350-kB", 350_000, "must", "Deliveries over 300 kB have been seen on Messenger's webhook."),
  size("1.1-MB", 1_100_000, "should", "1 MB is where nginx stops by default; a thousand updates can be more."),
  size("3-MB", 3_000_000, "should", "Meta's WhatsApp webhook is documented with up to 3 MB."),
  excess("16-MB", "16 MB are refused, and the next delivery is taken", {}),
  excess("16-MB-chunked", "the same without an announced length", { isChunked: true, pieces: 256 }),
];

function times(count: number, build: () => unknown): unknown[] {
  return Array.from({ length: count }, build);
}

function batch(
  name: string,
  count: number,
  what: string,
  build: (nowMs: number, count: number) => string,
): ConformanceCase {
  return accepts({
    id: `batch.${name}`,
    level: "must",
    checks: `taken: ${count} ${what}`,
    why: batches,
    send: ({ clock }) => ({ body: build(clock.nowMs(), count) }),
  });
}

function size(name: string, bytes: number, level: Level, why: string): ConformanceCase {
  return accepts({
    id: `size.${name}`,
    level,
    checks: `taken: a batch of ${bytes} bytes`,
    why,
    send: ({ clock }) => ({ body: sizedBody(clock.nowMs(), bytes) }),
  });
}

/** Refused by an answer, or by closing the connection, which a server may do (RFC 9110, 15.5.14). */
function excess(name: string, checks: string, how: Omit<Delivery, "body">): ConformanceCase {
  return {
    id: `size.${name}`,
    level: "should",
    checks,
    why: "Anyone can send to a public address: a limit keeps the memory that one sender takes small.",
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
