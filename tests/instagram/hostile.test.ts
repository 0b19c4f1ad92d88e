import { describe, expect, test } from "vitest";

import type { ReceivedDelivery } from "#instagram/received-delivery.ts";
import { signBody } from "#instagram/signature.ts";
import { decodeBatch } from "#queue/decode-batch.ts";
import { encodeBatches } from "#queue/encode-batch.ts";
import { qstashBytesMax } from "#queue/qstash/qstash-publisher.ts";

import { createRandom, mutate } from "../support/mutate.ts";
import { createReceiver } from "../support/receiver.ts";

/** `npm run fuzz` sets it; in the usual run it is a sample. */
const cases = Number(process.env["FUZZ_CASES"] ?? 400);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_123);

/** Deliveries of every container. Each item bears a mark of its own, by which it can be found again. */
const deliveries = [
  envelope(entry({ messaging: [message("mark01"), message("mark02"), { ...person(), reaction: { mid: "mark03" } }] })),
  envelope(entry({ standby: [message("mark04")], changes: [change("comments", { id: "mark05", text: "é 🚀 / \\" })] })),
  envelope(
    entry({ field: "live_comments", value: { id: "mark06" } }),
    entry({ changes: [change("follow", "mark07")] }),
  ),
  envelope(
    entry({
      messaging: [
        { ...person(), read: { mid: "mark08" } },
        { ...person(), novelty: "mark09" },
      ],
    }),
  ),
  envelope(...Array.from({ length: 12 }, (_, index) => entry({ messaging: [message(`mark${10 + index}`)] }))),
].map((delivery) => new TextEncoder().encode(JSON.stringify(delivery).replaceAll("/", "\\/")));

describe("a signed delivery with something wrong in it", () => {
  test(`is never refused and never loses an event, ${cases.toLocaleString("en")} times`, async () => {
    const receiver = createReceiver();
    const random = createRandom(seed);
    const pick = () => deliveries[Math.floor(random() * deliveries.length)] ?? new Uint8Array();
    const seen = { json: 0, notJson: 0, forgeries: 0 };
    const forgeriesTaken: string[] = [];
    for (let index = 0; index < cases; index += 1) {
      const original = pick();
      const body = mutate(original, pick(), random);
      const fault = `case ${index} of seed ${seed}: ${Buffer.from(body).toString("base64")}`;
      const delivery = await receiver.deliver(body, fault);
      if (assertNothingLost(body, delivery, fault)) seen.json += 1;
      else seen.notJson += 1;
      // With the signature of what it was before, it is a forgery.
      if (index % 20 === 0 && !Buffer.from(body).equals(original)) {
        seen.forgeries += 1;
        if ((await receiver.status(body, await signBody(receiver.secret, original))) !== 401)
          forgeriesTaken.push(fault);
      }
    }
    expect(forgeriesTaken).toEqual([]);
    // The mutations must reach both sides, or this tests less than it says.
    expect(seen.json).toBeGreaterThan(cases / 10);
    expect(seen.notJson).toBeGreaterThan(cases / 10);
    expect(seen.forgeries).toBeGreaterThan(0);
  }, 600_000);
});

describe("a signed delivery", () => {
  const many = (count: number) =>
    envelope(entry({ changes: Array.from({ length: count }, (_, id) => change("comments", { id: `c${id}` })) }));
  test.each<[string, unknown, number]>([
    ["a thousand changes", many(1_000), 1_000],
    [
      "a thousand entries",
      envelope(...Array.from({ length: 1_000 }, (_, id) => entry({ messaging: [message(`m${id}`)] }))),
      1_000,
    ],
    ["a text of three megabytes", envelope(entry({ messaging: [message("m", "x".repeat(3_000_000))] })), 1],
    ["an id of a megabyte", envelope(entry({ messaging: [message("m".repeat(1_000_000))] })), 1],
    [
      "a million small items in one",
      envelope(entry({ messaging: [{ novelty: Array.from({ length: 1_000_000 }, () => 1) }] })),
      1,
    ],
    [
      "a key of every odd name",
      envelope(entry({ messaging: [{ toString: 1, constructor: 2, ["__proto__x"]: 3, "": 4 }] })),
      1,
    ],
  ])("of %s is taken whole", async (_name, delivery, count) => {
    const body = new TextEncoder().encode(JSON.stringify(delivery));
    const received = await createReceiver().deliver(body, "");
    expect(received.events).toHaveLength(count);
    assertNothingLost(body, received, "");
  });

  test("is taken at exactly the size limit and refused one byte above it", async () => {
    const head = '{"object":"instagram","entry":[],"x":"';
    const body = (bytes: number) => new TextEncoder().encode(`${head}${"x".repeat(bytes - head.length - 2)}"}`);
    const receiver = createReceiver();
    const { bodyBytesMax } = receiver;
    expect(await receiver.status(body(bodyBytesMax), await signBody(receiver.secret, body(bodyBytesMax)))).toBe(200);
    const over = body(bodyBytesMax + 1);
    expect(await receiver.status(over, await signBody(receiver.secret, over))).toBe(413);
  });
});

/** Judged without the parser: by what the bytes hold. Returns whether they were JSON. */
function assertNothingLost(body: Uint8Array, delivery: ReceivedDelivery, fault: string): boolean {
  const { events, traceparent: _traceparent, ...facts } = delivery;
  for (const { key } of events) expect(key, fault).toMatch(/^[\x21-\x7e]{1,500}$/);
  const sent = { ...facts, publishStartedAtMs: delivery.receivedAtMs };
  const batches = encodeBatches(sent, events, qstashBytesMax).map(({ body: bytes }) =>
    decodeBatch(new TextDecoder().decode(bytes)),
  );
  expect(
    batches.flatMap((batch) => batch.events),
    fault,
  ).toEqual(events);

  const json = readJson(body);
  const kept = JSON.stringify(events) + keptBytes(events);
  expect(
    [...marksIn(json)].filter((mark) => !kept.includes(mark)),
    fault,
  ).toEqual([]);
  const wholeBody = [{ kind: "unknown", data: { bodyBase64: Buffer.from(body).toString("base64") } }];
  expect(events, fault).toMatchObject(json === undefined ? wholeBody : events);
  return json !== undefined;
}

/** `undefined` if the body is no JSON in UTF-8. */
function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** The bodies that were kept as bytes. */
function keptBytes(events: ReceivedDelivery["events"]): string {
  return events
    .map(({ data }) => (data as { bodyBase64?: unknown } | null)?.bodyBase64)
    .map((base64) => (typeof base64 === "string" ? Buffer.from(base64, "base64").toString() : ""))
    .join("");
}

/** The marks that JSON still holds; those that were moved to where only the envelope's time stands do not count. */
function marksIn(json: unknown): Set<string> {
  const marks = new Set<string>();
  const pending: unknown[] = [json];
  for (let value = pending.pop(); pending.length > 0 || value !== undefined; value = pending.pop()) {
    if (typeof value === "string") for (const [mark] of value.matchAll(/mark\d\d/g)) marks.add(mark);
    else if (typeof value === "object" && value !== null) {
      for (const [name, child] of Object.entries(value)) if (name !== "time" && name !== "object") pending.push(child);
    }
  }
  return marks;
}

function envelope(...entries: unknown[]): unknown {
  return { object: "instagram", entry: entries };
}

function entry(container: Record<string, unknown>): unknown {
  return { id: "17841400000000001", time: 1_700_000_000_500, ...container };
}

function person() {
  return { sender: { id: "1000000000000101" }, recipient: { id: "17841400000000001" }, timestamp: 1_700_000_000_000 };
}

function message(mid: string, text = "hello") {
  return { ...person(), message: { mid, text } };
}

function change(field: string, value: unknown) {
  return { field, value };
}
