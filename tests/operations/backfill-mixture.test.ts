/** Whatever webhooks brought, in whatever order, and whatever a backfill brings: each thing is one event, handled once. */
import { randomUUID } from "node:crypto";

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parseWebhook } from "#instagram/webhook-parser.ts";
import { beginBackfill } from "#operations/backfill/start-backfill.ts";

import { ingest } from "../support/handling.ts";
import { openTestStore, testBatch } from "../support/store.ts";
import { type BackfillRig, createBackfillRig, token } from "./backfill-rig.ts";
import type { GraphAccount, GraphMessage } from "./graph-stand-in.ts";

const kinds = ["message", "message.echo", "message.unsupported", "comment", "reply", "postback"] as const;

/** One thing that happened, and the ways on which it came. */
interface Thing {
  kind: (typeof kinds)[number];
  person: number;
  second: number;
  /** Webhooks before the backfill, and after it. */
  before: number;
  after: number;
  /** False if it was deleted before the backfill. */
  isInApi: boolean;
  hasAttachment: boolean;
}

const thing: fc.Arbitrary<Thing> = fc
  .record({
    kind: fc.constantFrom(...kinds),
    person: fc.integer({ min: 1, max: 3 }),
    second: fc.integer({ min: 0, max: 50 }),
    before: fc.integer({ min: 0, max: 2 }),
    after: fc.integer({ min: 0, max: 2 }),
    isInApi: fc.boolean(),
    hasAttachment: fc.boolean(),
  })
  // The API shows a postback as a message: only a webhook that came before tells.
  .map((one) => (one.kind === "postback" && one.before === 0 ? { ...one, isInApi: false } : one));

const url = "https://lookaside.fbsbx.com/x";
const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000;
const atMsOf = ({ second }: Thing) => startMs + second * 1_000;
const isComment = ({ kind }: Thing) => kind === "comment" || kind === "reply";

/** As Meta sends it: in milliseconds, some time later. */
function webhookOf(one: Thing, id: string, account: string) {
  const atMs = atMsOf(one);
  if (isComment(one)) {
    const from = { id: `person${one.person}`, username: "u" };
    const parent = one.kind === "reply" ? { parent_id: "parent" } : {};
    const value = { from, media: { id: "9001", media_product_type: "FEED" }, id, ...parent, text: "words" };
    return { id: account, time: Math.floor(atMs / 1_000) + 2, changes: [{ value, field: "comments" }] };
  }
  const isEcho = one.kind === "message.echo";
  const [own, person] = [{ id: account }, { id: `person${one.person}` }];
  const content = one.hasAttachment ? { attachments: [{ type: "image", payload: { url } }] } : { text: "words" };
  const particulars =
    one.kind === "postback"
      ? { postback: { mid: id, title: "words", payload: "P" } }
      : one.kind === "message.unsupported"
        ? { message: { mid: id, is_unsupported: true } }
        : { message: { mid: id, ...content, ...(isEcho ? { is_echo: true } : {}) } };
  const sides = isEcho ? { sender: own, recipient: person } : { sender: person, recipient: own };
  return { id: account, time: atMs + 700, messaging: [{ ...sides, timestamp: atMs + 123, ...particulars }] };
}

function messageOf(one: Thing, id: string, account: string): GraphMessage {
  const [fromId, toId] =
    one.kind === "message.echo" ? [account, `person${one.person}`] : [`person${one.person}`, account];
  const common = { id, fromId, toId, atMs: atMsOf(one) };
  if (one.kind === "message.unsupported") return { ...common, more: { is_unsupported: true }, isBareInList: true };
  if (!one.hasAttachment) return { ...common, text: "words" };
  return { ...common, more: { attachments: { data: [{ image_data: { url } }] } }, isBareInList: true };
}

function accountOf(things: readonly { one: Thing; id: string }[], account: string): GraphAccount {
  const inApi = things.filter(({ one }) => one.isInApi);
  const commentOf = ({ one, id }: { one: Thing; id: string }) => {
    return { id, fromId: `person${one.person}`, atMs: atMsOf(one), text: "words" };
  };
  const comments = inApi.filter(({ one }) => one.kind === "comment").map(commentOf);
  const replies = inApi.filter(({ one }) => one.kind === "reply").map(commentOf);
  const parent = { id: "parent", fromId: "someone", atMs: startMs - 86_400_000, text: "old", replies };
  const conversations = [1, 2, 3].flatMap((person) => {
    const messages = inApi.flatMap(({ one, id }) =>
      one.person === person && !isComment(one) ? [messageOf(one, id, account)] : [],
    );
    return messages.length === 0 ? [] : [{ id: `c${person}`, messages }];
  });
  return {
    id: account,
    username: "shop",
    conversations,
    media: [{ id: "9001", product: "FEED", comments: [...comments, parent] }],
  };
}

async function deliver(entries: readonly unknown[], rig: BackfillRig): Promise<void> {
  const deliveryId = randomUUID();
  const body = new TextEncoder().encode(JSON.stringify({ object: "instagram", entry: entries }));
  const events = await parseWebhook(body, { deliveryId, onFailure: () => expect.unreachable() });
  await ingest(testBatch(deliveryId, events), rig.handling);
}

test("any mixture of webhooks and backfills gives each thing once, and its handler runs once", async () => {
  const rig = await createBackfillRig(await openTestStore());
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(thing, { minLength: 1, maxLength: 14 }), fc.boolean(), async (given, isTwice) => {
      const account = `1784140000000${1_000 + runs++}`;
      const things = given.map((one, index) => ({ one, id: `${account}${index}` }));
      rig.graph.accounts.set(token, accountOf(things, account));
      rig.seen.length = 0;
      for (const { one, id } of things) {
        for (let n = 0; n < one.before; n += 1) await deliver([webhookOf(one, id, account)], rig);
      }
      const late = things.flatMap(({ one, id }) =>
        Array.from({ length: one.after }, () => webhookOf(one, id, account)),
      );
      const { id } = await rig.plan({ from: new Date(startMs).toISOString() });
      // What is late comes in one delivery, at the same time as the backfill or after it.
      await Promise.all([beginBackfill(id, rig.backfilling), isTwice ? deliver(late, rig) : null]);
      await deliver(late, rig);
      await rig.settle();
      const { rows } = await rig.pool.query<{ key: string; count: number; drifted: boolean }>(
        "select key, count(*)::int, bool_or(drifted) as drifted from relay.events where account_id = $1 group by key",
        [account],
      );
      expect(rows.every(({ count, drifted }) => count === 1 && !drifted)).toBe(true);
      const came = things.filter(({ one }) => one.before + one.after > 0 || one.isInApi);
      const idOf = (key: string) => key.split(":")[2] ?? "";
      const sorted = (ids: string[]) => ids.toSorted((a, b) => (a < b ? -1 : 1));
      const expected = sorted(came.map((one) => one.id));
      expect(sorted(rows.map(({ key }) => idOf(key)))).toEqual(expected);
      expect(sorted(rig.seen.map(({ event }) => idOf(event.key)))).toEqual(expected);
      const calledAs = (ids: readonly string[]) =>
        new Set(rig.seen.filter(({ event }) => ids.includes(idOf(event.key))).map(({ context }) => context.backfill));
      // Of what came both ways only the order tells.
      expect(calledAs(things.flatMap(({ one, id: mid }) => (one.before > 0 ? [mid] : [])))).not.toContain(true);
      expect(calledAs(things.flatMap(({ one, id: mid }) => (one.before + one.after === 0 ? [mid] : [])))).not.toContain(
        false,
      );
    }),
    { numRuns: 25 },
  );
}, 60_000);
