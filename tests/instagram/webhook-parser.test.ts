import { readFileSync } from "node:fs";

import * as fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";

import { parseWebhook } from "#instagram/webhook-parser.ts";

import { parseOptions } from "../support/parse-options.ts";

const account = "17841400000000001";
const user = "1000000000000101";
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const parse = (value: unknown, deliveryId = "d1") => parseWebhook(encode(value), parseOptions(deliveryId));
const envelope = (...entry: unknown[]) => ({ object: "instagram", entry });
const entry = (container: Record<string, unknown>, time = 1_700_000_000_500) => ({ id: account, time, ...container });
const item = (content: Record<string, unknown>) => ({
  sender: { id: user },
  recipient: { id: account },
  timestamp: 1_700_000_000_000,
  ...content,
});

describe("parseWebhook()", () => {
  test("reads the kind, the account, the sender and the time", async () => {
    const data = item({ message: { mid: "m1", text: "hi" } });
    expect(await parse(envelope(entry({ messaging: [data] })))).toEqual([
      {
        key: `message:${account}:m1`,
        kind: "message",
        accountId: account,
        senderId: user,
        recipientId: account,
        occurredAtMs: 1_700_000_000_000,
        sentAtMs: 1_700_000_000_500,
        standby: false,
        test: false,
        data,
      },
    ]);
  });

  test.each([
    ["message", { message: { mid: "m", text: "x" } }],
    ["message", { message: { mid: "m", attachments: [{ type: "like_heart" }] } }],
    ["message.echo", { message: { mid: "m", is_echo: true } }],
    ["message.deleted", { message: { mid: "m", is_deleted: true, is_echo: true } }],
    ["message.unsupported", { message: { mid: "m", is_unsupported: true } }],
    ["message", { message: { mid: "m", is_echo: false, is_deleted: false } }],
    ["message.deleted", { message: { mid: "m", is_deleted: "true" } }],
    ["message.deleted", { message: { mid: "m", is_deleted: 1, is_echo: "true" } }],
    ["message.echo", { message: { mid: "m", is_echo: "True", is_deleted: "false" } }],
    ["message.unsupported", { message: { mid: "m", is_unsupported: "1", is_echo: 0 } }],
    ["message", { message: { mid: "m", is_echo: "0", is_deleted: "", is_unsupported: [true] } }],
    ["message.edited", { message_edit: { mid: "m", num_edit: 1, text: "y" } }],
    ["reaction", { reaction: { mid: "m", action: "react", emoji: "❤" } }],
    ["read", { read: { mid: "m" } }],
    ["postback", { postback: { mid: "m", payload: "P" } }],
    ["referral", { referral: { ref: "r" } }],
    ["optin", { optin: { type: "notification_messages" } }],
    ["handover", { pass_thread_control: { new_owner_app_id: "1" } }],
    ["handover", { take_thread_control: {} }],
    ["handover", { request_thread_control: {} }],
    ["handover", { app_roles: { "1": ["primary_receiver"] } }],
    ["policy", { policy_enforcement: { action: "warning" } }],
    ["feedback", { response_feedback: { feedback: "Good response", mid: "m" } }],
    ["unknown", { something_new: { a: 1 } }],
    ["unknown", {}],
  ])("classifies %s by its keys", async (kind, content) => {
    const [event] = await parse(envelope(entry({ messaging: [item(content)] })));
    expect(event?.kind).toBe(kind);
  });

  test.each([
    ["comments", "comment"],
    ["live_comments", "live_comment"],
    ["mentions", "mention"],
    ["story_insights", "story_insights"],
    ["follow", "unknown"],
    ["constructor", "unknown"],
    ["__proto__", "unknown"],
  ])("classifies the field %s", async (field, kind) => {
    const value = { id: "c1", media_id: "17900000000000002" };
    const [changed] = await parse(envelope(entry({ changes: [{ field, value }] })));
    const [flat] = await parse(envelope(entry({ field, value })));
    expect(changed?.kind).toBe(kind);
    expect(flat).toEqual(changed);
  });

  test("finds every container of every entry", async () => {
    const events = await parse(
      envelope(
        entry({
          messaging: [item({ message: { mid: "m1" } }), item({ message: { mid: "m2" } })],
          standby: [item({ message: { mid: "m3" } })],
          changes: [{ field: "comments", value: { id: "c1" } }],
          field: "mentions",
          value: { media_id: "1" },
        }),
        { id: account },
        entry({ changed_fields: ["comments", "mentions"] }),
      ),
    );
    expect(events.map(({ kind, standby }) => `${kind}${standby ? " (standby)" : ""}`)).toEqual([
      "message",
      "message",
      "message (standby)",
      "comment",
      "mention",
      "unknown",
      "unknown",
    ]);
  });

  test("gives the same item the same key in every container", async () => {
    const same = item({ message: { mid: "m1", text: "x" } });
    const containers = [
      { messaging: [same] },
      { standby: [same] },
      { changes: [{ field: "messages", value: same }] },
      { changes: [{ field: "standby", value: same }] },
      { field: "messages", value: same },
    ];
    const events = await Promise.all(containers.map(async (container) => (await parse(envelope(entry(container))))[0]));
    for (const event of events) expect({ ...event, standby: false }).toEqual(events[0]);
    expect(events.map((event) => event?.standby)).toEqual([false, true, false, true, false]);
  });

  test("keeps an unknown item as it came", async () => {
    const change = { field: "story_reactions", value: { x: [1, "2"] } };
    const [event] = await parse(envelope(entry({ changes: [change] })));
    expect(event).toMatchObject({ kind: "unknown", accountId: account, data: change });
  });

  test.each([
    ["not JSON", "{nope", 1],
    ["nothing", "", 1],
    ["invalid UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), 1],
    ["null", "null", 1],
    ["a number", "12", 1],
    ["an object without entries", "{}", 1],
    ["entries that are none", '{"object":"instagram","entry":7}', 1],
    ["entries that are not objects", '{"object":"instagram","entry":[1,"x",null]}', 3],
    ["containers that are no arrays", '{"object":"instagram","entry":[{"id":"1","messaging":"x","changes":7}]}', 2],
    ["no entries", '{"object":"instagram","entry":[]}', 0],
    ["an entry of nothing", '{"object":"instagram","entry":[{"id":"1","time":1}]}', 0],
    ["an array of envelopes", '[{"object":"instagram","entry":[{"id":"1","messaging":[{}]}]}]', 1],
    ["another product's webhook", '{"object":"page","entry":[{"id":"1","messaging":[{"message":{"mid":"m"}}]}]}', 1],
    ["an entry of one word", '{"object":"instagram","entry":[{"id":"1","time":1,"surprise":"gold"}]}', 1],
    ["an envelope of one word", '{"object":"instagram","entry":[],"surprise":"gold"}', 1],
    ["items without end", `{"object":"instagram","entry":[{"messaging":[${"1,".repeat(20_000)}1]}]}`, 1],
    ["nested without end", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 1],
  ])("loses nothing of a body that is %s", async (_name, body, count) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const events = await parseWebhook(bytes, parseOptions("d1"));
    expect(events).toHaveLength(count);
    for (const event of events) expect(event.kind).toBe("unknown");
  });

  test("keeps the item that a repeated key would hide, and the others", async () => {
    const messaging = (mid: string) => `"messaging":[${JSON.stringify(item({ message: { mid } }))}]`;
    const body = `{"object":"instagram","entry":[{"id":"1","time":1,${messaging("a")},${messaging("b")}}]}`;
    const events = await parseWebhook(new TextEncoder().encode(body), parseOptions("d1"));
    expect(events).toMatchObject([{ key: "message:1:b" }, { kind: "unknown", data: { bodyBase64: btoa(body) } }]);
  });

  test("keeps an item that nests too deep as bytes, and classifies the others", async () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    const plain = JSON.stringify(item({ message: { mid: "m" } }));
    const body = `{"object":"instagram","entry":[{"id":"1","time":1,"messaging":[{"a":${deep}},${plain}]}]}`;
    const events = await parseWebhook(new TextEncoder().encode(body), parseOptions("d1"));
    expect(events).toMatchObject([{ key: "message:1:m" }, { kind: "unknown", data: { bodyBase64: btoa(body) } }]);
  });

  test("ignores a container's name in a text", async () => {
    const events = await parse(envelope(entry({ messaging: [item({ message: { mid: "m", text: '"changes": x' } })] })));
    expect(events.map(({ kind }) => kind)).toEqual(["message"]);
  });

  test("keeps the bytes of a body that is not JSON", async () => {
    const [event] = await parseWebhook(Uint8Array.of(1, 2, 255), parseOptions("d1"));
    expect(event?.data).toEqual({ bodyBase64: "AQL/" });
  });

  test("keeps the bytes of a body on which the parser itself fails, and passes the bug on", async () => {
    const bug = new TypeError("Cannot read properties of undefined");
    const parseDate = vi.spyOn(Date, "parse").mockImplementation(() => {
      throw bug;
    });
    onTestFinished(() => parseDate.mockRestore());
    const body = encode(envelope(entry({ messaging: [item({ timestamp: "2020-01-01T00:00:00+0000" })] })));
    const failures: unknown[] = [];
    const onFailure = (thrown: unknown) => failures.push(thrown);
    const events = await parseWebhook(body, { deliveryId: "d1", onFailure });
    expect(events).toMatchObject([{ kind: "unknown", key: expect.stringMatching(/^unknown:#[0-9a-f]{64}$/) }]);
    expect(events[0]?.data).toEqual({ bodyBase64: Buffer.from(body).toString("base64") });
    expect(failures).toEqual([bug]);
  });

  test("reads a body that starts with a BOM", async () => {
    const text = JSON.stringify(envelope(entry({ messaging: [item({ message: { mid: "m" } })] })));
    const [event] = await parseWebhook(new TextEncoder().encode(`\uFEFF${text}`), parseOptions("d1"));
    expect(event?.kind).toBe("message");
  });

  test("never throws, whatever JSON comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (a, b) => {
        const events = await parse(
          envelope({ id: a, time: b, messaging: a, changes: [{ field: "comments", value: b }], x: b }),
        );
        expect(events.length).toBeGreaterThan(0);
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

const realWorld = process.env["INSTAGRAM_FIXTURES"];
const index = realWorld === undefined ? "" : readFileSync(`${realWorld}/index.tsv`, "utf8").trim();

describe.runIf(index !== "")("the folder in INSTAGRAM_FIXTURES", () => {
  const rows = index.split("\n").slice(1);
  test.each(rows.map((row) => row.split("\t") as [string, string, string]))("%s", async (file, _kind, expected) => {
    const events = await parseWebhook(readFileSync(`${realWorld}/${file}`), parseOptions("d1"));
    expect(events).toHaveLength(Number(expected));
  });
});
