import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, test } from "vitest";

import { dataSchemas } from "#instagram/data/event-data.ts";
import { findDrift } from "#instagram/data/find-drift.ts";
import { type EventKind, eventKinds, type Json } from "#instagram/events.ts";

const message = (content: Json) => ({ sender: { id: "1" }, message: { mid: "m1", ...(content as object) } }) as Json;
const find = (kind: EventKind, data: Json) => {
  const { drifted, findings } = findDrift(kind, data);
  return [drifted, ...findings.map(({ finding, path, shape }) => `${finding} ${path} ${shape}`)];
};

describe("findDrift()", () => {
  test.each<[string, EventKind, Json, unknown[]]>([
    ["a new field", "message", message({ is_ai: true }), [false, "unknown_field message.is_ai boolean"]],
    ["a new field of the item", "comment", { id: "1", pinned: null }, [false, "unknown_field pinned null"]],
    [
      "a new field of an attachment, once however many have it",
      "message",
      message({ attachments: [1, 2].map((n) => ({ type: "image", payload: { url: "u", new_field: [n] } })) }),
      [false, "unknown_field message.attachments[].payload.new_field array"],
    ],
    [
      "no more of a new object than itself",
      "read",
      { read: { mid: "m", by: { name: "x" } } },
      [false, "unknown_field read.by object"],
    ],
    ["another type", "message", message({ text: 7 }), [true, "mismatch message.text number"]],
    ["null", "message", message({ text: null }), [true, "mismatch message.text null"]],
    ["an array for an object", "postback", { postback: [] }, [true, "mismatch postback array"]],
    ["an object for an array", "message", message({ attachments: {} }), [true, "mismatch message.attachments object"]],
    ["a field that should be there", "mention", { comment_id: "1" }, [true, "mismatch media_id missing"]],
    ["a time that is none", "read", { timestamp: "soon", read: { mid: "m" } }, [true, "mismatch timestamp string"]],
    ["no item at all", "comment", ["x"], [true, "mismatch $ array"]],
    [
      "a new attachment",
      "message",
      message({ attachments: [{ type: "ig_clip" }] }),
      [false, "unknown_word message.attachments[].type=ig_clip string"],
    ],
    [
      "a word that is none",
      "reaction",
      { reaction: { mid: "m", action: "it's me!" } },
      [false, "unknown_word reaction.action=* string"],
    ],
    [
      "roles of another shape",
      "handover",
      { app_roles: { "1": "x", "2": "y" } },
      [true, "mismatch app_roles.* string"],
    ],
    [
      "the item of a dashboard long ago",
      "message",
      { event_type: "TEXT", event_data: { message_id: "1" } },
      [true, "mismatch mid missing", "unknown_field event_type string", "unknown_field event_data object"],
    ],
    ["a postback that is none", "postback", { postback: "x" }, [true, "mismatch postback string"]],
  ])("finds %s", (_name, kind, data, found) => {
    expect(find(kind, data)).toEqual(found);
  });

  test.each<[string, Json, string]>([
    ["a field", { field: "story_reactions", value: { a: 1 } }, "field=story_reactions object"],
    ["a field without value", { field: "follow" }, "field=follow missing"],
    ["a changed field", { changed_field: "comments" }, "changed_field=comments string"],
    ["another product", { object: "page", entry: [] }, "object=page object"],
    ["a key", { sender: { id: "1" }, timestamp: 1, game_play: {} }, "game_play object"],
    ["nothing", { sender: { id: "1" } }, "$ object"],
    ["no JSON", { bodyBase64: "AQL/" }, "bodyBase64 string"],
    ["a number", 7, "$ number"],
  ])("recognises an unknown item by %s", (_name, data, found) => {
    expect(find("unknown", data)).toEqual([false, `unknown_kind ${found}`]);
  });

  test.each(["1784140000000001", "a1234", "x".repeat(41), "has space", "ä", "", "a.b", "__proto__", "7", "\0", "a[]"])(
    "tells no key like %j",
    (key) => {
      const data = JSON.parse(`{"message":{"mid":"m",${JSON.stringify(key)}:1}}`) as Json;
      expect(find("message", data)).toEqual([false, "unknown_field message.* number"]);
    },
  );

  test("reports at most twenty findings, and also a mismatch that comes after them", () => {
    const names = Array.from({ length: 5000 }, (_, index) => `n${"abcdefghij"[index % 10]}${Math.floor(index / 10)}`);
    const many = Object.fromEntries(names.map((name) => [name, 1]));
    const { drifted, findings } = findDrift("message", { many: 1, ...many, message: { ...many, mid: 7 } });
    expect(drifted).toBe(true);
    expect(findings).toHaveLength(20);
  });

  test("reads a long array", () => {
    const attachments = Array.from({ length: 200_000 }, (_, index) => index);
    expect(find("message", message({ attachments }))).toEqual([true, "mismatch message.attachments[] number"]);
  });

  /** Half-right items: known fields with anything in them. */
  const nearly = (value: fc.Arbitrary<unknown>) => {
    const keys = [
      "message",
      "mid",
      "text",
      "attachments",
      "type",
      "payload",
      "url",
      "reaction",
      "postback",
      "referral",
    ];
    const more = ["id", "from", "media", "sender", "timestamp", "reply_to", "story", "app_roles", "read", "num_edit"];
    const object = (content: fc.Arbitrary<unknown>) =>
      fc.dictionary(fc.constantFrom(...keys, ...more), fc.oneof(content, fc.array(content, { maxLength: 2 })), {
        maxKeys: 6,
      });
    return object(fc.oneof(value, object(fc.oneof(value, object(fc.oneof(value, object(value)))))));
  };
  const anything = fc.oneof(fc.jsonValue(), nearly(fc.oneof(fc.string(), fc.integer(), fc.constant(null))));
  const roundTrip = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

  test("never throws, has a bounded result, and reports whatever valibot refuses", () => {
    fc.assert(
      fc.property(fc.constantFrom(...eventKinds), anything, (kind, value) => {
        const data = roundTrip(value);
        const { drifted, findings } = findDrift(kind, data);
        expect(findings.length).toBeLessThanOrEqual(20);
        for (const { path } of findings) expect(path).toMatch(/^[\w.[\]*$=-]{1,200}$/);
        const isTaken = kind === "unknown" || v.is(dataSchemas[kind], data);
        expect(drifted || isTaken).toBe(true);
        expect(drifted && kind === "unknown").toBe(false);
      }),
      { numRuns: 2000, seed: 13 },
    );
  });

  test("contains no value of the data", () => {
    const secret = "customer-words";
    fc.assert(
      fc.property(fc.constantFrom(...eventKinds), nearly(fc.constant(`${secret}, with a space`)), (kind, value) => {
        expect(JSON.stringify(findDrift(kind, roundTrip(value)))).not.toContain(secret);
      }),
      { numRuns: 1000, seed: 17 },
    );
  });
});
