/** Fixtures: what an event says of people is replaced, and what it is stays. */
import { expect, test } from "vitest";

import { buildPayload, payloadKinds } from "#conformance/payloads.ts";
import type { InstagramEvent } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";
import { deliveryBody } from "#operations/delivery-body.ts";
import { maskIds } from "#operations/mask-ids.ts";

import { parseOptions } from "../support/parse-options.ts";

const nowMs = Date.parse("2026-01-31T12:00:00Z");
const options = { secret: "secret", keepsText: false };

async function parse(payload: unknown): Promise<InstagramEvent> {
  const [event, ...more] = await parseWebhook(new TextEncoder().encode(JSON.stringify(payload)), parseOptions("d"));
  if (event === undefined || more.length > 0) throw new Error("The payload is not one event");
  return event;
}

/** Every text with its path, without the words that Meta has for kinds and states. */
function* leaves(value: unknown, path = ""): Generator<[path: string, text: string]> {
  if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) yield* leaves(member, `${path}.${name}`);
  } else if (value !== null && !/\.(type|source|action|verb|reaction|emoji|\w*_status|\w*_timezone)$/.test(path)) {
    yield [path, typeof value === "string" ? value : JSON.stringify(value)];
  }
}

test.each(payloadKinds)(
  "a fixture of %s is an event of that kind with its times, and without its ids and texts",
  async (kind) => {
    const event = await parse(buildPayload(kind, nowMs));
    const masked = maskIds(deliveryBody([{ ...event }]), options);
    const again = await parse(masked);
    const same = ({ kind: of, occurredAtMs, sentAtMs, standby, test: isTest }: InstagramEvent) => ({
      of,
      occurredAtMs,
      sentAtMs,
      standby,
      isTest,
    });
    expect(same(again)).toEqual(same(event));
    const before = new Map(leaves(event.data));
    const kept = [...leaves(again.data)].filter(
      ([path, text]) => before.get(path) === text && /[\p{L}\d]{5}/u.test(text),
    );
    expect(kept.filter(([path]) => !/time/.test(path))).toEqual([]);
    expect([...leaves(again.data)].map(([, text]) => text.length)).toEqual(
      [...before.values()].map((text) => text.length),
    );
    expect(JSON.stringify(masked)).not.toContain(event.accountId);
  },
);

test("equal ids become equal ones of the same length and form, under one secret alone", () => {
  const value = { id: "17841400000000001", recipient: { id: "17841400000000001" }, mid: "aWdf-Zz_09=", count: "3" };
  const masked = maskIds(value, options) as typeof value;
  expect(masked).toEqual(maskIds(value, options));
  expect(masked.recipient.id).toBe(masked.id);
  expect(masked.id).toMatch(/^[1-9]\d{16}$/);
  expect(masked.mid).toMatch(/^[a-z][A-Z][a-z]{2}-[A-Z][a-z]_\d\d=$/);
  expect(masked.count).toBe("3");
  expect(maskIds(value, { ...options, secret: "other" })).not.toEqual(masked);
});

test("numbers that are ids, addresses and unknown members are masked; text stays only where that was asked for", () => {
  const value = {
    id: 9007199254740991,
    new_member: "Jane Doe, +49 170 1234567",
    payload: { url: "https://cdn.example/1780?sig=abc" },
    text: "Grüße 👋 an 1780",
  };
  const masked = maskIds(value, options) as typeof value;
  expect(Number.isSafeInteger(masked.id) && String(masked.id).length === 16 && masked.id !== value.id).toBe(true);
  expect(masked.new_member).toMatch(/^[A-Z][a-z]{3} [A-Z][a-z]{2}, \+\d\d \d{3} \d{7}$/);
  expect(masked.new_member).not.toContain("Jane");
  expect(masked.payload.url).toMatch(/^https:\/\/example\.com\//);
  expect(masked.text).toMatch(/^[A-Z][a-z]{4} 👋 [a-z]{2} \d{4}$/);
  expect((maskIds(value, { ...options, keepsText: true }) as typeof value).text).toBe(value.text);
});

test("nothing of a hostile payload stays: ids in names, lists and long numbers, sentences in place of words, digits of other scripts", () => {
  const value = {
    reactions: { "17841400000000001": 12, "jane@example.com": 1 },
    ids: [1780123456, Number("17841400000000123"), -17801234567],
    user: 17801234567,
    phone: 491701234567,
    text: "4711",
    message: { text: "0", status: "call me, Jane", source: "https://jane.example/", type: "17841400000000001" },
    note: "٠١٢٣٤٥ नमस्ते",
    timestamp: 1769860800000,
    occurred_time: "2026-01-31T12:00:00+0000",
    notification_messages_timezone: "America/Los_Angeles",
    emoji: "❤️",
    count: 42,
  };
  const masked = maskIds(value, options) as typeof value;
  const { timestamp, occurred_time, notification_messages_timezone, emoji, count } = value;
  expect(masked).toMatchObject({ timestamp, occurred_time, notification_messages_timezone, emoji, count });
  const text = JSON.stringify(masked);
  const secrets = [
    "17841400000000",
    "1780123456",
    "491701234567",
    "4711",
    "jane",
    "Jane",
    '"0"',
    "٠١٢٣٤٥",
    "नमस्ते",
    "ि",
  ];
  expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  expect(masked.ids.every(Number.isSafeInteger)).toBe(true);
  const same = maskIds({ id: "1780123456" }, options) as { id: string };
  expect(masked.ids[0]).toBe(Number(same.id));
});

test("a text of megabytes is masked in time that grows with its length", () => {
  const took = (text: string) => {
    const startedAt = performance.now();
    maskIds({ text }, options);
    return performance.now() - startedAt;
  };
  took("warm ".repeat(10_000));
  expect(took("tall ".repeat(200_000))).toBeLessThan(40 * took("tall ".repeat(20_000)) + 1_000);
});
