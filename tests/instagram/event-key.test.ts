import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Json } from "#instagram/events.ts";
import { parseWebhook } from "#instagram/webhook-parser.ts";

import { parseOptions } from "../support/parse-options.ts";

const account = "17841400000000001";
const user = "1000000000000101";
const parse = (value: unknown, deliveryId = "d1") =>
  parseWebhook(new TextEncoder().encode(JSON.stringify(value)), parseOptions(deliveryId));
const envelope = (...entry: unknown[]) => ({ object: "instagram", entry });
const entry = (container: Record<string, unknown>, time = 1_700_000_000_500) => ({ id: account, time, ...container });
const item = (content: Record<string, unknown>) => ({
  sender: { id: user },
  recipient: { id: account },
  timestamp: 1_700_000_000_000,
  ...content,
});

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);
/** What an id never looks like, and might. */
const oddId = fc.oneof(
  id,
  fc.string({ minLength: 1, unit: "binary" }),
  fc.constantFrom("a:b", "a", "b:", "\0", "test"),
);
const person = fc.record({ id: fc.constantFrom("1000000000000101", "1000000000000102") });
const timestamp = fc.integer({ min: 1_600_000_000_000, max: 1_600_000_000_003 });
const frame = { sender: person, recipient: fc.constant({ id: account }), timestamp };

/** A messaging item of some kind, and what identifies it: equal identities are the same event, different ones are not. */
interface Sample {
  field: string;
  item: Record<string, unknown>;
  identity: unknown;
}

const sample = <T extends Record<string, unknown>>(
  field: string,
  content: fc.Arbitrary<T>,
  identify: (item: T & { sender: { id: string }; timestamp: number }) => unknown[],
): fc.Arbitrary<Sample> =>
  fc.tuple(fc.record(frame), content).map(([rest, particulars]) => {
    const whole = { ...rest, ...particulars };
    return { field, item: whole, identity: [...identify(whole)] };
  });

const messageWith = (flags: Record<string, true>, kind: string) =>
  sample("messages", fc.record({ message: fc.record({ mid: oddId, text: fc.string() }) }), ({ message }) => [
    kind,
    message.mid,
  ]).map((made) => ({ ...made, item: { ...made.item, message: { ...(made.item["message"] as object), ...flags } } }));

/** Section by section what makes an event the same: see docs/decisions/0003. */
const messaging: fc.Arbitrary<Sample> = fc.oneof(
  messageWith({}, "message"),
  messageWith({ is_echo: true }, "message.echo"),
  messageWith({ is_deleted: true }, "message.deleted"),
  messageWith({ is_unsupported: true }, "message.unsupported"),
  sample(
    "message_edit",
    fc.record({ message_edit: fc.record({ mid: oddId, num_edit: fc.integer({ min: 0, max: 3 }) }) }),
    ({ message_edit: { mid, num_edit: count }, timestamp: at }) => ["edited", mid, count, count === 0 ? at : null],
  ),
  sample(
    "message_reactions",
    fc.record({
      reaction: fc.record({
        mid: oddId,
        action: fc.constantFrom("react", "unreact"),
        emoji: fc.constantFrom("❤", "❤️", "👍", "👍🏽", "x"),
      }),
    }),
    ({ reaction, sender, timestamp: at }) => ["reaction", reaction.mid, sender.id, reaction.action, reaction.emoji, at],
  ),
  sample("messaging_seen", fc.record({ read: fc.record({ mid: oddId }) }), ({ read, sender, timestamp: at }) => [
    "read",
    read.mid,
    sender.id,
    at,
  ]),
  sample(
    "messaging_postbacks",
    fc.record({ postback: fc.record({ mid: oddId, payload: fc.string() }) }),
    ({ postback }) => ["postback", postback.mid],
  ),
  ...(["referral", "optin", "pass_thread_control", "policy_enforcement", "response_feedback"] as const).map((name) =>
    sample(
      name === "referral" ? "messaging_referral" : "messaging_handover",
      fc.record({ [name]: fc.record({ ref: oddId }) }),
      (whole) => [name, whole],
    ),
  ),
);

const changes: fc.Arbitrary<Sample> = fc.oneof(
  ...(["comments", "live_comments"] as const).map((field) =>
    fc.record({ id: oddId, text: fc.string() }).map((value) => ({ field, item: value, identity: [field, value.id] })),
  ),
  fc
    .record({ media_id: oddId })
    .map((value) => ({ field: "mentions", item: value, identity: ["media", value.media_id] })),
  fc
    .record({ media_id: id, comment_id: oddId })
    .map((value) => ({ field: "mentions", item: value, identity: ["mention", value.comment_id] })),
  fc
    .record({ media_id: oddId, reach: fc.integer({ min: 0, max: 3 }) })
    .map((value) => ({ field: "story_insights", item: value, identity: ["insights", value.media_id, value.reach] })),
);

const samples = fc.oneof(messaging, changes);
const asChange = ({ field, item: value }: Sample) => ({ field, value });
const keysOf = async (value: unknown) => (await parse(value)).map(({ key }) => key);

describe("keys", () => {
  test("are equal for the same event, and different for different events", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(samples, { minLength: 2, maxLength: 12 }), async (several) => {
        const keys = await keysOf(envelope(entry({ changes: several.map(asChange) })));
        expect(keys).toHaveLength(several.length);
        for (const [a, first] of several.entries()) {
          for (const [b, second] of several.entries()) {
            const same = JSON.stringify(first.identity) === JSON.stringify(second.identity);
            expect(keys[a] === keys[b], JSON.stringify([first, second])).toBe(same);
          }
        }
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  test("do not depend on the container, the order or the grouping into entries and deliveries", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(messaging, fc.constantFrom("messaging", "standby", "changes", "flat")), {
          minLength: 1,
          maxLength: 10,
        }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        async (placed, perDelivery, shuffle) => {
          const expected = await keysOf(envelope(entry({ messaging: placed.map(([{ item: data }]) => data) })));
          const shuffled = placed
            .map((each) => ({ each, rank: shuffle.next().value }))
            .toSorted((a, b) => a.rank - b.rank)
            .map(({ each }) => each);
          const keys: string[] = [];
          for (let at = 0; at < shuffled.length; at += perDelivery) {
            const entries = shuffled.slice(at, at + perDelivery).map(([made, container], index) => {
              const time = 1_700_000_000_500 + index;
              if (container === "flat") return entry({ field: made.field, value: made.item }, time);
              if (container === "changes") return entry({ changes: [asChange(made)] }, time);
              return entry({ [container]: [made.item] }, time);
            });
            keys.push(...(await keysOf(envelope(...entries))));
          }
          expect(keys.toSorted()).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 200, seed: 5 },
    );
  });

  test("belong to one account", async () => {
    await fc.assert(
      fc.asyncProperty(samples, oddId, oddId, async (made, one, other) => {
        const of = async (accountId: string) =>
          (await keysOf(envelope({ id: accountId, time: 1_700_000_000, changes: [asChange(made)] })))[0];
        fc.pre(one !== "0" && other !== "0");
        expect((await of(one)) === (await of(other))).toBe(one === other);
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  const keyOf = async (data: Json, deliveryId?: string, time?: number) =>
    (await parse(envelope(entry({ messaging: [data] }, time)), deliveryId))[0]?.key;

  test("are short and printable however long and odd the ids are", async () => {
    const odd = ["x".repeat(100_000), "a:b", "a\0b", "ü", "\ud83d", "a b"];
    const keys = await Promise.all(odd.map((mid) => keyOf(item({ message: { mid } }) as Json)));
    for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{1,500}$/);
    expect(new Set(keys).size).toBe(odd.length);
  });

  test("of different parts never coincide", async () => {
    const [a, b] = await Promise.all([
      parse(envelope({ id: "1:2", time: 1, messaging: [{ message: { mid: "3" } }] })),
      parse(envelope({ id: "1", time: 1, messaging: [{ message: { mid: "2:3" } }] })),
    ]);
    expect(a[0]?.key).not.toBe(b[0]?.key);
  });

  test("contain the time of an unknown item, not of a known one", async () => {
    const message = item({ message: { mid: "m" } }) as Json;
    expect(await keyOf(message, "d1", 1_700_000_000_500)).toBe(await keyOf(message, "d2", 1_700_000_900_500));
    const unknown = item({ something_new: 1 }) as Json;
    expect(await keyOf(unknown, "d1", 1_700_000_000_500)).not.toBe(await keyOf(unknown, "d1", 1_700_000_900_500));
  });

  test("differ for each test of Meta's dashboard", async () => {
    const press = (deliveryId: string) =>
      parse(
        envelope({
          id: "0",
          time: 1_700_000_000,
          changes: [{ field: "comments", value: { id: "17865799348089039" } }],
        }),
        deliveryId,
      );
    const [first] = await press("d1");
    const [second] = await press("d2");
    expect(first).toMatchObject({ test: true, kind: "comment" });
    expect(first?.key).not.toBe(second?.key);
  });

  test("differ for a message and its unsend, for each edit, and for a reaction that is repeated", async () => {
    const contents = [
      { message: { mid: "m" } },
      { message: { mid: "m", is_deleted: true } },
      { message_edit: { mid: "m", num_edit: 1 } },
      { message_edit: { mid: "m", num_edit: 2 } },
      { reaction: { mid: "m", action: "react", emoji: "❤" } },
      { reaction: { mid: "m", action: "unreact" } },
      { reaction: { mid: "m", action: "react", emoji: "❤" }, timestamp: 1_700_000_009_000 },
      { message_edit: { mid: "m", num_edit: 0 } },
      { message_edit: { mid: "m", num_edit: 0 }, timestamp: 1_700_000_009_000 },
      { read: { mid: "m" } },
    ];
    const keys = await Promise.all(contents.map((content) => keyOf(item(content) as Json)));
    expect(new Set(keys).size).toBe(contents.length);
  });

  test("contain the whole item where Meta gives no time", async () => {
    const bare = { sender: { id: user }, recipient: { id: account } };
    const contents = [
      { message_edit: { mid: "m", num_edit: 0, text: "a" } },
      { message_edit: { mid: "m", num_edit: 0, text: "b" } },
      { read: { mid: "m", extra: 1 } },
      { read: { mid: "m", extra: 2 } },
      { message: { mid: "m" } },
      { message: { mid: "m" }, postback: { payload: "P" } },
      { message: { mid: "m" }, reaction: { mid: "x", action: "react" } },
    ];
    const events = await parse(
      envelope({ id: account, messaging: contents.map((content) => ({ ...bare, ...content })) }),
    );
    expect(new Set(events.map(({ key }) => key)).size).toBe(contents.length);
  });
});
